"""Streams over REST: server-sent events from the first moment to the last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx

from tests.mesh.mesh_client import PASSWORD, Person, Rest, photo

Ending = Callable[[Rest, Person, Person, str], Awaitable[Any]]


async def until(messages: AsyncGenerator[Any], kind: str, within_s: float = 5) -> Any:
    """The next message of a kind."""
    async with asyncio.timeout(within_s):
        async for message in messages:
            if message["kind"] == kind:
                return message
    raise AssertionError(f"the stream ended without {kind}")


async def rest_of(messages: AsyncGenerator[Any], within_s: float = 5) -> list[str]:
    """The kinds of everything up to the stream's end, and why it ended."""
    async with asyncio.timeout(within_s):
        return [message["endReason"] or message["kind"] async for message in messages]


async def test_a_stream_answers_at_once_and_says_that_it_is_alive(rest: Rest, cleo: Person) -> None:
    post = await rest.publish(cleo)
    async with rest.events(f"/v1/live/posts?postIds={post['postId']}", cleo) as messages:
        first = await until(messages, "HEARTBEAT", within_s=2)
        second = await until(messages, "HEARTBEAT")
        third = await until(messages, "HEARTBEAT")
    assert 0 < int(first["cursor"]) <= int(second["cursor"]) <= int(third["cursor"])


async def test_streams_are_not_cached_on_the_way(rest: Rest, cleo: Person) -> None:
    post = await rest.publish(cleo)
    path = f"/v1/live/posts?postIds={post['postId']}"
    async with rest.http.stream("GET", path, headers=cleo.bearer) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"


async def test_two_posts_are_watched_by_one_stream(rest: Rest, cleo: Person) -> None:
    posts = [(await rest.publish(cleo))["postId"] for _ in range(2)]
    async with rest.events(f"/v1/live/posts?postIds={posts[0]}&postIds={posts[1]}", cleo) as messages:
        await anext(messages)
        for post_id in posts:
            await rest.ok("PUT", f"/v1/posts/{post_id}/like", cleo)
            message = await until(messages, "LIKES")
            assert (message["postId"], message["likeCount"]) == (post_id, 1)


async def test_a_stream_resumes_where_it_broke_off(rest: Rest, cleo: Person) -> None:
    post_id = (await rest.publish(cleo))["postId"]
    path = f"/v1/live/posts?postIds={post_id}"
    async with rest.events(path, cleo) as messages:
        cursor = (await anext(messages))["cursor"]
    for text in ("one", "two"):
        await rest.ok("POST", f"/v1/posts/{post_id}/comments", cleo, json={"text": text})
    async with rest.events(f"{path}&cursor={cursor}", cleo) as messages:
        comments = [(await until(messages, "COMMENT"))["comment"]["text"] for _ in range(2)]
    assert comments == ["one", "two"]


async def test_a_cursor_that_no_stream_gave_is_refused(rest: Rest, cleo: Person) -> None:
    post_id = (await rest.publish(cleo))["postId"]
    refusal = await rest.refused("GET", f"/v1/live/posts?postIds={post_id}&cursor=x", cleo)
    assert refusal[0] == 400


async def test_a_post_that_one_may_not_see_cannot_be_watched(rest: Rest, cleo: Person) -> None:
    dora = await rest.register("dora")
    await rest.go_private(dora)
    post_id = (await rest.publish(dora))["postId"]
    assert await rest.refused("GET", f"/v1/live/posts?postIds={post_id}", cleo) == (404, "POST_NOT_FOUND")
    assert await rest.refused("GET", "/v1/live/posts?postIds=5", cleo) == (404, "POST_NOT_FOUND")


async def _go_private(rest: Rest, author: Person, viewer: Person, post_id: str) -> Any:
    await rest.go_private(author)


async def _block(rest: Rest, author: Person, viewer: Person, post_id: str) -> Any:
    await rest.ok("PUT", f"/v1/me/blocks/{viewer.at}", author)


async def _delete(rest: Rest, author: Person, viewer: Person, post_id: str) -> Any:
    await rest.ok("DELETE", f"/v1/posts/{post_id}", author)


async def _archive(rest: Rest, author: Person, viewer: Person, post_id: str) -> Any:
    await rest.ok("POST", f"/v1/posts/{post_id}:archive", author)


async def test_a_stream_ends_when_its_viewer_loses_the_right(rest: Rest) -> None:
    async def lose(end: Ending) -> None:
        author, viewer = await rest.register("gil"), await rest.register("hal")
        post_id = (await rest.publish(author))["postId"]
        async with rest.events(f"/v1/live/posts?postIds={post_id}", viewer) as messages:
            assert (await anext(messages))["kind"] == "HEARTBEAT"
            await end(rest, author, viewer, post_id)
            kinds = await rest_of(messages)
        assert kinds[-2:] == ["DELETED", "NOT_VISIBLE"], end.__name__

    await asyncio.gather(*(lose(end) for end in (_go_private, _block, _delete, _archive)))


async def test_a_stream_ends_with_its_session(rest: Rest, cleo: Person) -> None:
    post_id = (await rest.publish(cleo))["postId"]
    session = (await rest.ok("POST", "/v1/sessions", json={"username": cleo.username, "password": PASSWORD}))["session"]
    phone = Person(cleo.user_id, cleo.username, session["accessToken"], session["sessionId"], session["refreshToken"])
    async with rest.events(f"/v1/live/posts?postIds={post_id}", phone) as messages:
        await anext(messages)
        await rest.ok("DELETE", f"/v1/sessions/{phone.session_id}", cleo)
        assert (await rest_of(messages, within_s=8))[-1] == "SESSION_ENDED"


async def test_a_comment_by_somebody_who_blocked_the_viewer_is_not_told(rest: Rest) -> None:
    author, viewer, blocker = [await rest.register(name) for name in ("gil", "hal", "ivy")]
    post_id = (await rest.publish(author))["postId"]
    await rest.ok("PUT", f"/v1/me/blocks/{viewer.at}", blocker)
    async with rest.events(f"/v1/live/posts?postIds={post_id}", viewer) as messages:
        await anext(messages)
        await rest.ok("POST", f"/v1/posts/{post_id}/comments", blocker, json={"text": "unseen"})
        await rest.ok("POST", f"/v1/posts/{post_id}/comments", author, json={"text": "seen"})
        assert (await until(messages, "COMMENT"))["comment"]["text"] == "seen"


async def test_watching_a_medium_ends_once_it_is_ready(rest: Rest, cleo: Person) -> None:
    headers = {"content-type": "image/jpeg"}
    media_id = (await rest.ok("POST", "/v1/media:upload", cleo, content=photo(), headers=headers))["media"]["mediaId"]
    async with rest.events(f"/v1/media/{media_id}:watch", cleo) as messages, asyncio.timeout(10):
        states = [message["media"]["state"] async for message in messages if message["media"]]
    assert states[-1] == "READY"
    assert set(states[:-1]) <= {"PROCESSING"}
    async with rest.events(f"/v1/media/{media_id}:watch", cleo) as messages, asyncio.timeout(10):
        assert [message["media"]["state"] async for message in messages] == ["READY"]


async def test_only_its_owner_watches_a_medium(rest: Rest, ana: Person, cleo: Person) -> None:
    media_id = await rest.upload(cleo)
    assert await rest.refused("GET", f"/v1/media/{media_id}:watch", ana) == (404, "MEDIA_NOT_FOUND")


async def test_an_account_may_have_so_many_streams_and_is_told_when_it_has_more(rest: Rest) -> None:
    gil = await rest.register("gil")
    path = f"/v1/live/posts?postIds={(await rest.publish(gil))['postId']}"
    limits = (await rest.ok("GET", "/v1/limits", gil))["limits"]
    [most] = [int(limit["value"]) for limit in limits if limit["name"] == "edge.streams_per_account"]
    async with AsyncExitStack() as streams:
        for _ in range(most):
            await anext(await streams.enter_async_context(rest.events(path, gil)))
        assert await rest.refused("GET", path, gil) == (429, "STREAM_LIMIT")


async def test_a_client_that_hangs_up_leaves_no_stream_behind(rest: Rest, cleo: Person, installation: Any) -> None:
    post_id = (await rest.publish(cleo))["postId"]
    async with rest.events(f"/v1/live/posts?postIds={post_id}", cleo) as messages:
        await anext(messages)
    stats = f"http://{installation.options.admin}/stats?format=json&filter=cluster.edge.upstream_rq_active$"

    async def none_open() -> bool:
        async with httpx.AsyncClient(trust_env=False) as admin:
            return [stat["value"] for stat in (await admin.get(stats)).json()["stats"]] == [0]

    async with asyncio.timeout(5):
        while not await none_open():
            await asyncio.sleep(0.05)
