"""Lists of people under a post: whom the viewer may not see is not in them, and the page is filled up behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.mesh.mesh_client import Person, Rest

At = Callable[[Any], str]


async def crowd(rest: Rest, many: int) -> tuple[Person, Person, list[Person]]:
    """An author, a reader, and some others."""
    people = await asyncio.gather(*(rest.register(f"p{at}") for at in range(many + 2)))
    return people[0], people[1], list(people[2:])


async def walked(rest: Rest, path: str, reader: Person, key: str, size: int) -> list[list[Any]]:
    """All pages of a list, of that size each."""
    pages, token = [], ""
    while True:
        page = await rest.ok("GET", f"{path}?pageSize={size}&pageToken={token}", reader)
        pages.append(page[key])
        token = page["nextPageToken"]
        if not token:
            return pages


async def _liked(rest: Rest, post_path: str, who: Person, parent: str) -> None:
    await rest.ok("PUT", f"{post_path}/like", who)


async def _commented(rest: Rest, post_path: str, who: Person, parent: str) -> None:
    await rest.ok("POST", f"{post_path}/comments", who, json={"text": "a word"})


async def _replied(rest: Rest, post_path: str, who: Person, parent: str) -> None:
    await rest.ok("POST", f"{post_path}/comments", who, json={"text": "a word", "parentCommentId": parent})


LISTS = [
    pytest.param(_liked, "{post}/likes", "likes", lambda like: like["user"]["userId"], id="likers"),
    pytest.param(_commented, "{post}/comments", "comments", lambda it: it["author"]["userId"], id="commenters"),
    pytest.param(
        _replied, "/v1/comments/{parent}/replies", "comments", lambda it: it["author"]["userId"], id="replies"
    ),
]


@pytest.mark.parametrize(("do", "path", "key", "author"), LISTS)
async def test_who_blocked_the_reader_is_in_no_list_under_a_post(
    rest: Rest, do: Any, path: str, key: str, author: At
) -> None:
    owner, reader, people = await crowd(rest, 6)
    post = f"/v1/posts/{(await rest.publish(owner))['postId']}"
    first = await rest.ok("POST", f"{post}/comments", owner, json={"text": "first"})
    parent = str(first["comment"]["commentId"])
    for person in people:
        await do(rest, post, person, parent)
    path = path.format(post=post, parent=parent)
    for hidden in people[1:4]:  # in the middle, so that pages of two would have holes
        await rest.ok("PUT", f"/v1/me/blocks/{reader.at}", hidden)
    pages = await walked(rest, path, reader, key, 2)
    shown = [author(entry) for page in pages for entry in page]
    kept = {person.user_id for person in (people[0], *people[4:])}
    assert {who for who in shown if who != owner.user_id} == kept
    assert len(shown) == len(set(shown))
    assert [len(page) for page in pages[:-1]] == [2] * (len(pages) - 1), "refilled where somebody was left out"
    everybody = await walked(rest, path, owner, key, 100)
    assert {author(entry) for page in everybody for entry in page} >= {person.user_id for person in people}


async def test_a_like_and_a_comment_are_counted_in_the_very_next_answer(rest: Rest) -> None:
    author, reader, _ = await crowd(rest, 0)
    path = f"/v1/posts/{(await rest.publish(author))['postId']}"

    async def counts() -> tuple[int, int, bool]:
        post = (await rest.ok("GET", path, reader))["post"]
        return post["likeCount"], post["commentCount"], post["viewer"]["liked"]

    for _ in range(5):  # each is remembered by the look before it
        assert await counts() == (0, 0, False)
        await rest.ok("PUT", f"{path}/like", reader)
        assert await counts() == (1, 0, True)
        comment = (await rest.ok("POST", f"{path}/comments", reader, json={"text": "now"}))["comment"]
        assert await counts() == (1, 1, True)
        await rest.ok("DELETE", f"/v1/comments/{comment['commentId']}", reader)
        assert await counts() == (1, 0, True)
        await rest.ok("DELETE", f"{path}/like", reader)


async def test_who_is_blocked_sees_nothing_of_it_in_their_very_next_request(rest: Rest) -> None:
    author, reader, _ = await crowd(rest, 0)
    post = f"/v1/posts/{(await rest.publish(author))['postId']}"
    for _ in range(5):  # the reader's circle is remembered by the look before it
        await rest.ok("GET", post, reader)
        await rest.ok("GET", f"/v1/users/{author.at}", reader)
        await rest.ok("PUT", f"/v1/me/blocks/{reader.at}", author)
        assert await rest.refused("GET", post, reader) == (404, "POST_NOT_FOUND")
        assert await rest.refused("GET", f"/v1/users/{author.at}", reader) == (404, "USER_NOT_FOUND")
        await rest.ok("DELETE", f"/v1/me/blocks/{reader.at}", author)
