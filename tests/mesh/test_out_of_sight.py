"""What an operator takes out of sight is gone from every surface within five seconds, and comes back as it was."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edge.links import Links
from mesh.clock import SystemClock
from tests.mesh.mesh_client import Person, Rest, eventually, image_url, unique

TINTYPE = Path(sys.executable).with_name("tintype")


class Look(NamedTuple):
    """How somebody looks at a surface."""

    who: Person
    path: str
    key: str = ""
    """Of a list: only what names ``what`` counts. Without, the whole answer does."""
    what: str = ""


@dataclass(frozen=True)
class Scene:
    """Ana, who is everywhere; Ben follows her. Eve, whom she follows, mutes her and counts her among her close
    friends. She asks to follow Dee. Kim blocks her."""

    ana: Person
    ben: Person
    eve: Person
    dee: Person
    kim: Person
    post: Any
    """Ana's, with Eve's like and comment."""
    comment: Any
    liked: Any
    """Eve's post, which Ana likes and comments on."""
    question: Any
    """Eve's comment there, which Ana answers."""
    word: str
    tag: str

    def of_the_post(self, viewer: Person) -> dict[str, Look]:
        """Everywhere that Ana's post, or what is under it, is shown."""
        post_id, path = self.post["postId"], f"/v1/posts/{self.post['postId']}"
        place = self.post["place"]
        return {
            "feed": Look(viewer, "/v1/feed", "items", post_id),
            "grid": Look(viewer, f"/v1/users/{self.ana.user_id}/posts", "posts", post_id),
            "post": Look(viewer, path),
            "its likers": Look(viewer, f"{path}/likes"),
            "its comments": Look(viewer, f"{path}/comments"),
            "replies under it": Look(viewer, f"/v1/comments/{self.comment['commentId']}/replies"),
            "search": Look(viewer, f"/v1/search/posts?query={self.word}", "posts", post_id),
            "hashtag": Look(viewer, f"/v1/hashtags/{self.tag}/posts", "posts", post_id),
            "place": Look(viewer, f"/v1/places/{place['placeId']}/posts", "posts", post_id),
            "hashtag's count": Look(viewer, f"/v1/search/hashtags?query={self.tag}", "hashtags", self.tag),
            "place's count": Look(viewer, f"/v1/search/places?query={place['name']}", "places", place["placeId"]),
        }

    def of_herself(self) -> dict[str, Look]:
        """What Ana sees of her own."""
        mine = self.of_the_post(self.ana)
        kept = {name: mine[name] for name in ("feed", "grid", "post", "its likers", "its comments")}
        return kept | {"profile": Look(self.ana, f"/v1/users/{self.ana.user_id}")}

    def of_the_person(self) -> dict[str, Look]:
        """Everywhere that Ana herself is shown to others."""
        ana, liked = self.ana.user_id, f"/v1/posts/{self.liked['postId']}"
        question = f"/v1/comments/{self.question['commentId']}"
        return {
            "profile": Look(self.ben, f"/v1/users/{ana}"),
            "profile by name": Look(self.ben, f"/v1/users/{self.ana.at}"),
            "likers": Look(self.ben, f"{liked}/likes", "likes", ana),
            "comments": Look(self.ben, f"{liked}/comments", "comments", ana),
            "replies": Look(self.ben, f"{question}/replies", "comments", ana),
            "search for people": Look(self.ben, f"/v1/search/users?query={self.ana.username}", "users", ana),
            "followers": Look(self.ben, f"/v1/users/{self.eve.at}/followers", "users", ana),
            "following": Look(self.eve, f"/v1/users/{self.ben.at}/following", "users", ana),
            "her followers": Look(self.eve, f"/v1/users/{ana}/followers"),
            "whom she follows": Look(self.eve, f"/v1/users/{ana}/following"),
            "follow requests": Look(self.dee, "/v1/me/follow-requests", "users", ana),
            "blocks": Look(self.kim, "/v1/me/blocks", "users", ana),
            "mutes": Look(self.eve, "/v1/me/mutes", "users", ana),
            "close friends": Look(self.eve, "/v1/me/close-friends", "users", ana),
        }


def without_links(value: Any) -> Any:
    match value:
        case dict():
            return {key: without_links(each) for key, each in value.items() if key not in ("url", "avatarUrl")}
        case list():
            return [without_links(each) for each in value]
    return value


async def seen(rest: Rest, looks: dict[str, Look]) -> dict[str, Any]:
    """What each surface shows, without links, which change by the hour; only surfaces that show anything."""

    async def at(look: Look) -> Any:
        answer = await rest.ask("GET", look.path, look.who)
        assert answer.status_code in (200, 404), answer.text
        body = without_links(answer.json()) if answer.status_code == 200 else None
        return [each for each in body[look.key] if look.what in json.dumps(each)] if body and look.key else body

    found = await asyncio.gather(*map(at, looks.values()))
    return {name: shown for name, shown in zip(looks, found, strict=True) if shown}


async def becomes(expected: dict[str, Any], now: Callable[[], Any]) -> None:
    """Within five seconds; tells the surfaces that differ."""
    last: dict[str, Any] = {}

    async def differing() -> bool:
        shown = await now()
        last.clear()
        last.update({name: shown.get(name) for name in {*shown, *expected} if shown.get(name) != expected.get(name)})
        return not last

    try:
        await eventually(differing)
    except AssertionError:
        raise AssertionError(f"after five seconds: {last}") from None


async def holding(rest: Rest, urls: Sequence[str]) -> list[bool]:
    """Which links lead to their bytes."""
    return [(await rest.ask("GET", url)).status_code == 200 for url in urls]


@pytest.fixture
async def scene(rest: Rest) -> Scene:
    ana, ben, eve, dee, kim = [await rest.register(name) for name in ("ana", "ben", "eve", "dee", "kim")]
    await asyncio.gather(rest.follow(ben, ana), rest.follow(ana, eve), rest.go_private(dee))
    await rest.follow(ana, dee)
    for who, circle in ((eve, "mutes"), (eve, "close-friends"), (kim, "blocks")):
        await rest.ok("PUT", f"/v1/me/{circle}/{ana.at}", who)
    portrait = {"avatarMediaId": await rest.upload(ana)}
    await rest.ok("PATCH", "/v1/me?updateMask=avatarMediaId", ana, json=portrait)
    word, tag, place = unique("harbour"), unique("golden"), unique("Pier")
    await rest.publish(ana, "another")
    post = await rest.publish(ana, f"The {word} #{tag}", place={"name": place})
    liked = await rest.publish(eve, "of Eve")

    async def comment(who: Person, under: Any, text: str, parent: str = "") -> Any:
        body = {"text": text, "parentCommentId": parent}
        return (await rest.ok("POST", f"/v1/posts/{under['postId']}/comments", who, json=body))["comment"]

    first, question = await comment(eve, post, "well"), await comment(eve, liked, "where?")
    await comment(eve, post, "indeed", first["commentId"])
    await comment(ana, liked, "lovely")
    await comment(ana, liked, "there", question["commentId"])
    for who, whose in ((eve, post), (ana, liked)):
        await rest.ok("PUT", f"/v1/posts/{whose['postId']}/like", who)
    return Scene(ana, ben, eve, dee, kim, post, first, liked, question, word, tag)


async def shown_everywhere(rest: Rest, looks: dict[str, Look]) -> dict[str, Any]:
    """What there is to see, once it is to be seen on every surface."""
    await eventually(lambda: _all_shown(rest, looks), within_s=15)
    return await seen(rest, looks)


async def _all_shown(rest: Rest, looks: dict[str, Look]) -> bool:
    return set(await seen(rest, looks)) == set(looks)


async def tintype(installation: Any, *arguments: str) -> None:
    """Run a command."""
    env = {**os.environ, **installation.environment}
    process = await asyncio.create_subprocess_exec(TINTYPE, *arguments, env=env, stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0


async def test_a_hidden_account_is_gone_everywhere_and_comes_back_as_it_was(
    installation: Any, rest: Rest, scene: Scene
) -> None:
    ana, ben = scene.ana, scene.ben
    looks = scene.of_the_post(ben) | scene.of_the_person()
    own_looks = scene.of_herself()
    before, own = await shown_everywhere(rest, looks), await shown_everywhere(rest, own_looks)
    old = await links(rest, scene, ben)
    coming = [renewed(installation, url) for url in old]
    assert await holding(rest, old) == [True, True]

    async with ending(rest, scene):
        await tintype(installation, "users", "hide", ana.at)
        await becomes({}, lambda: seen(rest, looks))
        await eventually(lambda: _dead(rest, old))
    assert await holding(rest, coming) == [False, False], "the law holds for links of any age"
    await becomes(own, lambda: seen(rest, own_looks))
    assert await holding(rest, await links(rest, scene, ana)) == [True, True], "who is hidden sees their own"
    await no_comment_arrives(rest, scene)

    await tintype(installation, "users", "unhide", ana.user_id)
    await becomes(before, lambda: seen(rest, looks))
    assert await holding(rest, old) == [False, False], "an old link came back"
    assert await holding(rest, [*await links(rest, scene, ben), *coming]) == [True] * 4


async def no_comment_arrives(rest: Rest, scene: Scene) -> None:
    """What somebody hidden writes reaches nobody who watches."""
    post_id = scene.liked["postId"]
    async with rest.events(f"/v1/live/posts?postIds={post_id}", scene.ben) as messages:
        await anext(messages)
        comments = f"/v1/posts/{post_id}/comments"
        written = (await rest.ok("POST", comments, scene.ana, json={"text": "unheard"}))["comment"]
        await rest.ok("POST", comments, scene.kim, json={"text": "heard"})
        async with asyncio.timeout(5):
            while (message := await anext(messages))["kind"] != "COMMENT":
                pass
        assert message["comment"]["text"] == "heard"
    await rest.ok("DELETE", f"/v1/comments/{written['commentId']}", scene.ana)


async def links(rest: Rest, scene: Scene, viewer: Person) -> list[str]:
    """The links to Ana's post and to her picture that somebody is given."""
    post = (await rest.ok("GET", f"/v1/posts/{scene.post['postId']}", viewer))["post"]
    return [image_url(post), str(post["author"]["avatarUrl"])]


def renewed(installation: Any, url: str) -> str:
    """The link as it will be made after the next event that ends all links."""
    made = Links(installation.settings.derived_key("media links"), SystemClock(), installation.url)
    link = made.open(*url.rsplit("/", 2)[1:])
    assert link is not None
    return made.url(replace(link, epoch=link.epoch + 1))


@asynccontextmanager
async def ending(rest: Rest, scene: Scene) -> AsyncIterator[None]:
    """Ben watches the post meanwhile, and is told at the end that it is gone."""
    async with rest.events(f"/v1/live/posts?postIds={scene.post['postId']}", scene.ben) as messages:
        await anext(messages)
        yield
        async with asyncio.timeout(5):
            kinds = [message["kind"] async for message in messages]
        assert [kind for kind in kinds if kind != "HEARTBEAT"] == ["DELETED", "END"]


async def _dead(rest: Rest, urls: Sequence[str]) -> bool:
    return not any(await holding(rest, urls))


async def test_a_removed_post_is_gone_everywhere_and_comes_back_as_it_was(
    installation: Any, rest: Rest, scene: Scene
) -> None:
    ana, ben, post_id = scene.ana, scene.ben, scene.post["postId"]
    looks = {
        f"{name} to {viewer.username}": look
        for viewer in (ana, ben)
        for name, look in scene.of_the_post(viewer).items()
    }
    counted = {f"{viewer.username}'s count": Look(viewer, f"/v1/users/{ana.at}") for viewer in (ana, ben)}
    before = await shown_everywhere(rest, looks | counted)
    assert [before[name]["user"]["postCount"] for name in counted] == [2, 2]
    old = [(await links(rest, scene, viewer))[0] for viewer in (ana, ben)]
    assert await holding(rest, old) == [True, True]

    async with ending(rest, scene):
        await tintype(installation, "posts", "remove", post_id)
        one_less = {name: {"user": before[name]["user"] | {"postCount": 1}} for name in counted}
        await becomes(one_less, lambda: seen(rest, looks | counted))
        await eventually(lambda: _dead(rest, old))
    for verb, path, body in (
        ("PATCH", f"/v1/posts/{post_id}", {"caption": "other"}),
        ("POST", f"/v1/posts/{post_id}:archive", None),
        ("PUT", f"/v1/posts/{post_id}/like", None),
        ("POST", f"/v1/posts/{post_id}/comments", {"text": "more"}),
    ):
        assert await rest.refused(verb, path, ana, json=body) == (404, "POST_NOT_FOUND"), (verb, path)

    await tintype(installation, "posts", "restore", post_id)
    await becomes(before, lambda: seen(rest, looks | counted))
    assert await holding(rest, old) == [True, True], "its links hold again"


async def test_a_repeated_creation_does_not_show_a_post_that_was_removed(installation: Any, rest: Rest) -> None:
    author = await rest.register("ana")
    body = {"mediaIds": [await rest.upload(author)], "caption": "once", "requestId": str(uuid.uuid4())}
    post = (await rest.ok("POST", "/v1/posts", author, json=body))["post"]
    await tintype(installation, "posts", "remove", post["postId"])
    assert await rest.refused("POST", "/v1/posts", author, json=body) == (404, "POST_NOT_FOUND")
    await tintype(installation, "posts", "restore", post["postId"])
    assert (await rest.ok("POST", "/v1/posts", author, json=body))["post"]["postId"] == post["postId"]
