"""Posts that are kept serialised are the posts that would be built; pages are spliced as protobuf would."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.unknown_fields import UnknownFieldSet
from hypothesis import given
from hypothesis import strategies as st
from tintype.accounts.v1 import accounts_pb2
from tintype.edge.v1 import feed_pb2
from tintype.edge.v1 import resources_pb2 as public
from tintype.engagement.v1 import engagement_pb2
from tintype.media.v1 import assets_pb2, posts_pb2
from tintype.type.v1 import content_pb2

from edge import splice
from edge.facts import Person, SeenPost
from edge.facts.facets import counts_part
from edge.facts.known import subject_of
from edge.links import Links
from edge.present import Presenter
from edge.visibility import ANYONE, Author
from mesh.clock import FakeClock

VIEWER, OWNER = 1, 2
HOUR_MS = 3_600_000


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1_800_000_000_000)


@pytest.fixture
def presenter(clock: FakeClock) -> Presenter:
    return Presenter(Links(b"k" * 32, clock, "http://localhost"))


def seen(*, private: bool = False, **changed: Any) -> SeenPost:
    """A post with all that it can have."""
    likes, comments, liked = (
        changed.pop(name, value) for name, value in (("likes", 0), ("comments", 0), ("liked", False))
    )
    owner_version = changed.pop("owner_version", 1)
    user = accounts_pb2.User(
        user_id=OWNER,
        username="ana",
        display_name="Ana",
        private=private,
        avatar_asset_id=9,
        media_epoch=3,
        version=owner_version,
    )
    asset = assets_pb2.Asset(asset_id=7, owner_id=OWNER, state=assets_pb2.ASSET_STATE_READY, width=4, height=3)
    for width in (320, 1080):
        for form in ("jpeg", "webp"):
            asset.variants.add(name=str(width), width=width, height=width, format=form, object_key=f"{width}{form}")
    values = {"audience": content_pb2.AUDIENCE_EVERYONE, "caption": "sea", "version": 1} | changed
    post = posts_pb2.Post(post_id=5, author_id=OWNER, assets=[asset], create_time_ms=1_700_000_000_123, **values)
    post.place.name, post.place.latitude = "Kotor", 42.4
    counts = counts_part(engagement_pb2.PostCounts(post_id=5, like_count=likes, comment_count=comments))
    mine = bytes(public.Post(viewer=public.PostViewer(liked=liked)).SerializeToString())
    return SeenPost(post, subject_of(post), Person(user, Author(OWNER, private)), counts + mine)


VARIATIONS = [
    {},
    {"likes": 3, "comments": 4, "liked": True},
    {"likes": 2**40},
    {"caption": ""},
    {"audience": content_pb2.AUDIENCE_FOLLOWERS},
    {"audience": content_pb2.AUDIENCE_ONLY_ME},
    {"private": True},
    {"archived": True},
    {"comments_disabled": True},
]


@pytest.mark.parametrize("variation", VARIATIONS, ids=str)
def test_bytes_of_a_post_are_the_post(presenter: Presenter, variation: dict[str, Any]) -> None:
    for viewer in (VIEWER, OWNER):
        shown = seen(**variation)
        for _ in range(2):  # made, then kept
            parsed = public.Post.FromString(presenter.post_bytes(viewer, shown))
            assert parsed == presenter.post(viewer, shown)
            assert len(UnknownFieldSet(parsed)) == 0


@pytest.mark.parametrize("variation", [*VARIATIONS, {"left_out": True}], ids=str)
def test_json_of_a_post_is_what_protobuf_makes_of_it(presenter: Presenter, variation: dict[str, Any]) -> None:
    variation = dict(variation)
    left_out = variation.pop("left_out", False)
    for viewer in (VIEWER, OWNER):
        shown = seen(**variation)
        if left_out:
            shown = replace(shown, facets=bytes(public.Post(left_out=["counts"]).SerializeToString()))
        for _ in range(2):  # made, then kept
            wanted = json_format.MessageToDict(presenter.post(viewer, shown), always_print_fields_with_no_presence=True)
            assert json.loads(presenter.post_json(viewer, shown)) == wanted


def test_post_that_changed_is_not_served_from_what_was_kept(presenter: Presenter, clock: FakeClock) -> None:
    presenter.post_bytes(VIEWER, seen())
    changes = (
        {"likes": 1},
        {"comments": 1},
        {"liked": True},
        {"caption": "ocean", "version": 2},
        {"private": True, "owner_version": 2},
        {"archived": True, "version": 3},
        {"audience": content_pb2.AUDIENCE_FOLLOWERS, "version": 4},
    )
    for change in changes:
        shown = seen(**change)
        assert public.Post.FromString(presenter.post_bytes(VIEWER, shown)) == presenter.post(VIEWER, shown)
    clock.advance(HOUR_MS)
    assert public.Post.FromString(presenter.post_bytes(VIEWER, seen())) == presenter.post(VIEWER, seen())


def links_of(post: public.Post, presenter: Presenter) -> set[int]:
    """The viewer classes of a post's links."""
    found = set()
    for medium in post.media:
        for variant in medium.variants:
            token, name = variant.url.removeprefix("http://localhost/m/").split("/")
            link = presenter._links.open(token, name)
            assert link is not None
            assert (link.post_id, link.owner_id, link.epoch) == (5, OWNER, 3)  # it dies with the post's visibility
            found.add(link.viewer_id)
    return found


@pytest.mark.parametrize(
    ("variation", "everybody"),
    [({}, True), ({"private": True}, False), ({"archived": True}, False)]
    + [({"audience": audience}, False) for audience in (2, 3, 4)],
    ids=str,
)
def test_link_of_what_not_everybody_may_see_is_its_viewers_alone(
    presenter: Presenter, variation: dict[str, Any], everybody: bool
) -> None:
    for viewer in (VIEWER, OWNER):
        post = public.Post.FromString(presenter.post_bytes(viewer, seen(**variation)))
        assert links_of(post, presenter) == {ANYONE if everybody else viewer}


def test_only_jpegs_are_listed_since_the_gate_offers_better(presenter: Presenter) -> None:
    [medium] = presenter.post(VIEWER, seen()).media
    assert [(variant.width, variant.format) for variant in medium.variants] == [(320, "jpeg"), (1080, "jpeg")]


def test_counts_stay_json_numbers(presenter: Presenter) -> None:
    post = presenter.post(VIEWER, seen(likes=2**40, comments=-1))
    assert (post.like_count, post.comment_count) == (2**31 - 1, 0)


# --- splicing


@given(st.integers(100, 2**29 - 1), st.integers(0, 70_000))
def test_spliced_field_is_what_protobuf_writes(number: int, length: int) -> None:
    """A field that a message does not know is kept, and written again in protobuf's own encoding."""
    spliced = splice.field(number, b"x" * length)
    message = feed_pb2.GetFeedResponse.FromString(spliced)
    [field] = UnknownFieldSet(message)
    assert (field.field_number, field.wire_type, field.data) == (number, 2, b"x" * length)
    assert message.SerializeToString() == spliced


@given(st.lists(st.text(max_size=300), max_size=20), st.text(max_size=50))
def test_spliced_page_is_byte_identical(captions: list[str], token: str) -> None:
    built = feed_pb2.GetFeedResponse(next_page_token=token)
    spliced = b""
    number = feed_pb2.GetFeedResponse.DESCRIPTOR.fields_by_name["items"].number
    for caption in captions:
        item = feed_pb2.FeedItem(post=public.Post(caption=caption))
        built.items.append(item)
        spliced += splice.field(number, item.SerializeToString())
    rest = feed_pb2.GetFeedResponse(next_page_token=token).SerializeToString()
    assert spliced + rest == built.SerializeToString()
