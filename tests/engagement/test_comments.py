"""Comments: written once for each request id, listed in order, counted exactly, gone when deleted."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from mesh.errors import Code, Problem
from mesh.storage import Unavailable
from services.engagement.store import ClaimStore
from tests.engagement.engagement_client import ANA, BEN, EVE, Client


async def test_a_repeated_request_writes_one_comment(client: Client) -> None:
    request_id = str(uuid.uuid4())
    answers = await asyncio.gather(*(client.say(BEN, "Lovely", request_id=request_id) for _ in range(6)))
    assert len({answer.comment_id for answer in answers}) == 1
    assert [comment.text for comment in await client.comments()] == ["Lovely"]
    assert (await client.counts())[0].comment_count == 1


async def test_a_request_id_is_not_reused_for_another_text(client: Client) -> None:
    request_id = str(uuid.uuid4())
    await client.say(BEN, "Lovely", request_id=request_id)
    with pytest.raises(Problem) as refusal:
        await client.say(BEN, "Ugly", request_id=request_id)
    assert refusal.value.reason == "REQUEST_ID_REUSED"
    assert (await client.counts())[0].comment_count == 1


async def test_comments_are_newest_first_and_replies_oldest_first_across_partitions(client: Client) -> None:
    texts = [f"comment {number}" for number in range(11)]
    first = [await client.say(BEN, text) for text in texts][0]
    answers = [f"reply {number}" for number in range(11)]
    for text in answers:
        await client.say(EVE, text, parent=first.comment_id)
    for size in (1, 4, 50):
        assert [comment.text for comment in await client.comments(size)] == texts[::-1]
        assert [reply.text for reply in await client.replies(first.comment_id, size)] == answers
    assert (await client.comments())[-1].reply_count == 11
    assert (await client.counts())[0].comment_count == 22


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 2201, "bell\x07", "tab\there", "nul\0", "\x9b31m"])
async def test_a_text_that_is_none_is_refused_and_nothing_changes(client: Client, text: str) -> None:
    with pytest.raises(Problem) as refusal:
        await client.say(BEN, text)
    assert refusal.value.reason == "INVALID_FIELD"
    assert refusal.value.fields[0].field == "text"
    assert await client.comments() == []
    assert (await client.counts())[0].comment_count == 0


async def test_a_text_is_trimmed_and_its_length_counts_characters(client: Client) -> None:
    long = "é😀" * 1100
    assert (await client.say(BEN, f"  {long}\n")).text == long
    assert (await client.say(BEN, "one\ntwo")).text == "one\ntwo"


async def test_a_reply_needs_a_live_top_level_comment_of_the_same_post(client: Client) -> None:
    parent = await client.say(BEN, "parent")
    reply = await client.say(EVE, "reply", parent=parent.comment_id)
    gone = await client.say(BEN, "gone")
    await client.delete(BEN, gone.comment_id)
    for wrong, post, reason in (
        (parent.comment_id, client.post + 1_000_000, "COMMENT_NOT_FOUND"),
        (gone.comment_id, client.post, "COMMENT_NOT_FOUND"),
        (12345, client.post, "COMMENT_NOT_FOUND"),
        (reply.comment_id, client.post, "INVALID_FIELD"),
    ):
        with pytest.raises(Problem) as refusal:
            await client.say(EVE, "nowhere", parent=wrong, post=post)
        assert refusal.value.reason == reason
    assert (await client.counts())[0].comment_count == 2


async def test_only_its_author_edits_a_comment(client: Client) -> None:
    comment = await client.say(BEN, "first")
    edited = await client.edit(BEN, comment.comment_id, "second")
    assert edited.text == "second"
    assert edited.edit_time_ms > 0
    assert (await client.edit(BEN, comment.comment_id, "second")).edit_time_ms == edited.edit_time_ms
    with pytest.raises(Problem) as refusal:
        await client.edit(ANA, comment.comment_id, "third")
    assert refusal.value.code is Code.PERMISSION_DENIED
    assert [c.text for c in await client.comments()] == ["second"]
    assert (await client.counts())[0].comment_count == 1


async def test_its_author_and_the_posts_author_delete_a_comment_and_nobody_else(client: Client) -> None:
    by_ben = await client.say(BEN, "by ben")
    by_eve = await client.say(EVE, "by eve")
    with pytest.raises(Problem) as refusal:
        await client.delete(EVE, by_ben.comment_id)
    assert refusal.value.reason == "NOT_OWNER"
    await client.delete(BEN, by_ben.comment_id)
    await client.delete(ANA, by_eve.comment_id)
    await client.delete(ANA, by_eve.comment_id)
    assert await client.comments() == []
    assert (await client.counts())[0].comment_count == 0
    with pytest.raises(Problem) as gone:
        await client.edit(BEN, by_ben.comment_id, "back again")
    assert gone.value.reason == "COMMENT_NOT_FOUND"


async def test_replies_go_with_their_comment(client: Client) -> None:
    parent = await client.say(BEN, "parent")
    stays = await client.say(BEN, "stays")
    for number in range(9):
        await client.say(EVE, f"reply {number}", parent=parent.comment_id)
    racing = [client.say(EVE, f"late {number}", parent=parent.comment_id) for number in range(4)]
    await asyncio.gather(client.delete(BEN, parent.comment_id), *racing, return_exceptions=True)
    await client.mesh.settle()
    assert await client.replies(parent.comment_id) == []
    assert [comment.comment_id for comment in await client.comments()] == [stays.comment_id]
    assert (await client.counts())[0].comment_count == 1


async def test_an_edit_and_a_deletion_at_once_never_bring_a_comment_back(client: Client) -> None:
    comment = await client.say(BEN, "text")
    edits = [client.edit(BEN, comment.comment_id, f"text {number}") for number in range(3)]
    await asyncio.gather(client.delete(ANA, comment.comment_id), *edits, return_exceptions=True)
    await client.mesh.settle()
    assert await client.comments() == []
    assert (await client.counts())[0].comment_count == 0


async def test_a_comment_is_answered_though_it_cannot_be_counted_now(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(ClaimStore, "write_tally", away)
        assert (await client.say(BEN, "Lovely")).text == "Lovely"
    await client.mesh.settle()
    assert (await client.counts())[0].comment_count == 1
