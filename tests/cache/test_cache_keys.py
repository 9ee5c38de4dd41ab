"""Names of keys and their hash tags."""

from __future__ import annotations

import pytest

from mesh.cache.keys import KeyFamily, key, tag_of
from mesh.personal import owned


def test_the_owner_is_the_hash_tag() -> None:
    assert key("feed", 123) == b"feed:{123}"
    assert key("feed", 123, "seen", 7) == b"feed:{123}:seen:7"


def test_all_keys_of_an_owner_share_the_tag_that_redis_hashes() -> None:
    assert tag_of(key("feed", 123)) == tag_of(key("following", 123, "x")) == b"123"


@pytest.mark.parametrize(("name", "tag"), [(b"plain", b"plain"), (b"{}x", b"{}x"), (b"{a", b"{a"), (b"x{a}{b}", b"a")])
def test_tags_are_read_as_redis_reads_them(name: bytes, tag: bytes) -> None:
    assert tag_of(name) == tag


@pytest.mark.parametrize("part", ["", "a{b", "a}b"])
def test_parts_that_would_move_the_tag_are_refused(part: str) -> None:
    with pytest.raises(ValueError, match="part"):
        key("feed", part)


def test_many_keys_of_one_owner_are_the_keys_one_by_one() -> None:
    family = KeyFamily("liked", owned("person_id"))
    assert family.keys(7, [1, 1 << 62]) == [family.key(7, 1), family.key(7, 1 << 62)]
