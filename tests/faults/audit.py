"""Everything that was acknowledged, looked up over the public API: there, once, and counted right."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any

from tests.faults.ledger import Ledger, Made, Switch
from tests.mesh.mesh_client import Person, Rest

_AT_ONCE = 8
_PAGES = 50


class Audit:
    """Compares an installation with a ledger. Each check fails with what was expected."""

    def __init__(self, rest: Rest, people: Sequence[Person], ledger: Ledger) -> None:
        self._rest = rest
        self._people = people
        self._ledger = ledger
        self._by_id = {person.user_id: person for person in people}
        self._served: set[str] = set()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def everything(self) -> None:
        """All checks; raises AssertionError."""
        await self._all(self._media(upload) for upload in self._ledger.uploads if upload.acknowledged)
        await self._all(self._grid(person) for person in self._people)
        await self._all(self._circle(person) for person in self._people)
        await self._all(self._post(post) for post in self._ledger.known_posts())
        await self._all(self._feed(person) for person in self._people)

    async def _all(self, checks: Iterable[Awaitable[None]]) -> None:
        async def one(check: Awaitable[None]) -> None:
            async with self._turns:
                await check

        await asyncio.gather(*(one(check) for check in checks))

    async def _media(self, upload: Made) -> None:
        """Ready, and the bytes of every variant are served."""
        if upload.id in self._served:
            return
        media = (await self._rest.ok("GET", f"/v1/media/{upload.id}", self._by_id[upload.owner]))["media"]
        assert media["state"] == "READY", media
        assert media["variants"], media
        for variant in media["variants"]:
            accept = f"image/{variant['format'].lower()}"
            image = await self._rest.ask("GET", variant["url"], headers={"accept": accept})
            assert image.status_code == 200, f"{variant['url']}: {image.status_code} {image.text[:200]}"
            assert image.headers["content-type"].startswith("image/")
            assert len(image.content) > 100
        self._served.add(upload.id)

    async def _grid(self, person: Person) -> None:
        """The author's posts, each once, and their number."""
        found = await self._list(f"/v1/users/{person.user_id}/posts", "posts", person)
        own = [post for post in self._ledger.posts if post.owner == person.user_id]
        _agree("posts", [(post["caption"], post["postId"]) for post in found], own)
        profile = await self._profile(person)
        assert profile["postCount"] == len(found), f"postCount {profile['postCount']}, listed {len(found)}"

    async def _circle(self, person: Person) -> None:
        """Followers and followed, and their numbers."""
        follows, me = self._ledger.follows, person.user_id
        following = {b: switch for (a, b), switch in follows.items() if a == me}
        followers = {a: switch for (a, b), switch in follows.items() if b == me}
        profile = await self._profile(person)
        for name, expected in (("following", following), ("followers", followers)):
            users = await self._list(f"/v1/users/{me}/{name}", "users", person)
            _stand(name, [user["userId"] for user in users], expected)
            count = profile["followingCount" if name == "following" else "followerCount"]
            assert count == len(users), f"{name} counted {count}, listed {len(users)}"

    async def _post(self, post: Made) -> None:
        """Likes, comments, their counts, and that search finds the post."""
        reader, path = self._by_id[post.owner], f"/v1/posts/{post.id}"
        shown = (await self._rest.ok("GET", path, reader))["post"]
        likes = await self._list(f"{path}/likes", "likes", reader)
        wanted = {user: switch for (user, post_id), switch in self._ledger.likes.items() if post_id == post.id}
        _stand(f"likes of {post.id}", [like["user"]["userId"] for like in likes], wanted)
        assert shown["likeCount"] == len(likes), f"{post.id}: likeCount {shown['likeCount']}, listed {len(likes)}"
        comments = await self._list(f"{path}/comments", "comments", reader)
        own = [comment for comment in self._ledger.comments if comment.inside == post.id]
        _agree(f"comments on {post.id}", [(each["text"], each["commentId"]) for each in comments], own)
        count = shown["commentCount"]
        assert count == len(comments), f"{post.id}: commentCount {count}, listed {len(comments)}"
        hits = (await self._rest.ok("GET", f"/v1/search/posts?query={post.text}", reader))["posts"]
        assert [hit["postId"] for hit in hits] == [post.id], f"search for {post.text} finds {hits}"

    async def _feed(self, person: Person) -> None:
        """Every acknowledged post of everybody followed and of oneself, once; nothing of anybody else."""
        items = await self._list("/v1/feed?order=latest", "items", person)
        shown = [item["post"]["postId"] for item in items]
        assert len(shown) == len(set(shown)), f"{person.username}'s feed shows a post twice: {sorted(shown)}"
        surely = {b for (a, b), switch in self._ledger.follows.items() if a == person.user_id and switch.sure}
        perhaps = {b for (a, b) in self._ledger.follows if a == person.user_id}
        surely.add(person.user_id)
        perhaps.add(person.user_id)
        due = {post.id for post in self._ledger.known_posts() if post.owner in surely}
        assert due <= set(shown), f"{person.username}'s feed lacks {sorted(due - set(shown))} of {len(due)}"
        strange = [item for item in items if item["post"]["author"]["userId"] not in perhaps]
        assert not strange, f"{person.username}'s feed shows posts of others: {strange}"

    async def _profile(self, person: Person) -> Any:
        return (await self._rest.ok("GET", f"/v1/users/{person.user_id}", person))["user"]

    async def _list(self, path: str, key: str, who: Person) -> list[Any]:
        """All pages of a list."""
        found: list[Any] = []
        token, sign = "", "&" if "?" in path else "?"
        for _ in range(_PAGES):
            page = await self._rest.ok("GET", f"{path}{sign}pageSize=50&pageToken={token}", who)
            found += page[key]
            token = page["nextPageToken"]
            if not token:
                return found
        raise AssertionError(f"{path} has more than {_PAGES} pages")


def _agree(what: str, found: Sequence[tuple[str, str]], made: Sequence[Made]) -> None:
    """Each acknowledged one is there under its id, each unacknowledged one at most once, and nothing else."""
    texts = [text for text, _ in found]
    assert len(texts) == len(set(texts)), f"{what}: doubled: {sorted(text for text in texts if texts.count(text) > 1)}"
    known = {each.text: each for each in made}
    strange = [text for text in texts if text not in known]
    assert not strange, f"{what}: nobody made {strange}"
    ids = dict(found)
    lost = [each for each in made if each.acknowledged and ids.get(each.text) != each.id]
    assert not lost, f"{what}: acknowledged and lost: {lost}"


def _stand(what: str, found: Sequence[str], switches: Mapping[str, Switch]) -> None:
    """Exactly those are listed whose switch is on; one in doubt may be either way."""
    assert len(found) == len(set(found)), f"{what}: doubled: {found}"
    on = {key for key, switch in switches.items() if switch.sure and switch.on}
    doubtful = {key for key, switch in switches.items() if not switch.sure}
    assert on <= set(found), f"{what}: acknowledged and lost: {sorted(on - set(found))}"
    assert set(found) <= on | doubtful, f"{what}: listed and off: {sorted(set(found) - on - doubtful)}"
