"""A limit stands in one field of the public contract and is read from there; other fields declare the same."""

from __future__ import annotations

import pytest

from mesh.limits import longest


@pytest.mark.parametrize(
    ("source", "others"),
    [
        ("edge.v1.posts.CreatePostRequest.caption", ["media.v1.posts.CreatePostRequest.caption"]),
        ("edge.v1.posts.CreatePostRequest.media_ids", ["media.v1.posts.CreatePostRequest.asset_ids"]),
        ("edge.v1.resources.Place.name", ["type.v1.content.Place.name"]),
        ("edge.v1.resources.Account.display_name", ["edge.v1.accounts.RegisterRequest.display_name"]),
        ("edge.v1.engagement.CreateCommentRequest.text", ["edge.v1.engagement.UpdateCommentRequest.text"]),
        ("edge.v1.accounts.RegisterRequest.password", ["edge.v1.sessions.LogInRequest.password"]),
    ],
)
def test_fields_of_one_meaning_declare_one_limit(source: str, others: list[str]) -> None:
    assert {longest(field) for field in others} == {longest(source)}


@pytest.mark.parametrize(
    ("raw", "normalised"),
    [
        ("accounts.v1.accounts.RegisterRequest.display_name", "edge.v1.resources.Account.display_name"),
        ("engagement.v1.engagement.CreateCommentRequest.text", "edge.v1.engagement.CreateCommentRequest.text"),
        ("engagement.v1.engagement.UpdateCommentRequest.text", "edge.v1.engagement.CreateCommentRequest.text"),
    ],
)
def test_what_is_trimmed_before_it_is_measured_may_be_longer(raw: str, normalised: str) -> None:
    assert longest(raw) > longest(normalised)


def test_a_field_without_a_bound_is_no_source_of_one() -> None:
    with pytest.raises(ValueError, match=r"Post\.caption declares no bound"):
        longest("media.v1.posts.Post.caption")
