"""Links to image bytes hold for what they were made for, and for an hour or two."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.links import WINDOW_S, Link, Links
from edge.visibility import ANYONE
from mesh.clock import FakeClock

URL = "https://img.example.com"
HOUR_MS = WINDOW_S * 1000
START = 1_800_000_000_000 // HOUR_MS * HOUR_MS
LINK = Link(asset_id=10, owner_id=20, viewer_id=30, epoch=4, name="640", post_id=50)
U64 = st.integers(0, 2**64 - 1)


def made(clock: FakeClock | None = None, key: bytes = b"k" * 32) -> Links:
    return Links(key, clock or FakeClock(START), URL + "/")


def parts(url: str) -> tuple[str, str]:
    """Token and name of a URL."""
    assert url.startswith(f"{URL}/m/")
    token, name = url.removeprefix(f"{URL}/m/").split("/")
    return token, name


@given(U64, U64, U64, U64, st.integers(0, 2**32 - 1), st.sampled_from(["150", "320", "1080"]))
def test_link_is_read_back(asset: int, owner: int, viewer: int, post: int, epoch: int, name: str) -> None:
    link = Link(asset, owner, viewer, epoch, name, post)
    assert made().open(*parts(made().url(link))) == link


def test_epoch_is_compared_by_its_last_32_bits() -> None:
    opened = made().open(*parts(made().url(replace(LINK, epoch=2**40 + 7))))
    assert opened is not None
    assert opened.epoch == 7


def test_link_lives_one_to_two_hours() -> None:
    for age in (0, HOUR_MS - 1):
        clock = FakeClock(START + age)
        links = made(clock)
        token, name = parts(links.url(LINK))
        clock.advance(HOUR_MS)
        assert links.open(token, name) == LINK
        clock.advance(2 * HOUR_MS - age - HOUR_MS - 1)
        assert links.open(token, name) == LINK
        clock.advance(1)
        assert links.open(token, name) is None


def test_link_is_the_same_within_an_hour_so_that_caches_keep_what_it_names() -> None:
    clock = FakeClock(START)
    first = made(clock).url(LINK)
    clock.advance(HOUR_MS - 1)
    assert made(clock).url(LINK) == first
    clock.advance(1)
    assert made(clock).url(LINK) != first


@pytest.mark.parametrize(
    "other",
    [
        replace(LINK, asset_id=11),
        replace(LINK, owner_id=21),
        replace(LINK, viewer_id=31),
        replace(LINK, viewer_id=ANYONE),
        replace(LINK, epoch=5),
        replace(LINK, post_id=51),
        replace(LINK, post_id=0),
        replace(LINK, name="150"),
    ],
)
def test_link_for_anything_else_is_another(other: Link) -> None:
    assert made().url(other) != made().url(LINK)
    opened = made().open(*parts(made().url(other)))
    assert opened == other


def test_token_does_not_serve_another_file() -> None:
    token, _ = parts(made().url(LINK))
    for name in ("1080", "", "640.webp", "64", "6400"):
        assert made().open(token, name) is None


def test_link_of_another_installation_is_refused() -> None:
    assert made(key=b"x" * 32).open(*parts(made().url(LINK))) is None


@given(st.data())
def test_altered_token_is_refused(data: st.DataObject) -> None:
    token, name = parts(made().url(LINK))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from([letter for letter in alphabet if letter != token[at]]))
    assert made().open(token[:at] + other + token[at + 1 :], name) is None
    assert made().open(token[:at], name) is None


@given(st.text(max_size=120), st.text(max_size=20))
def test_any_other_text_is_refused(token: str, name: str) -> None:
    assert made().open(token, name) is None
