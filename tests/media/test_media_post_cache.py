"""The post cache never shows what this process knows to be old, nor anything for longer than two seconds."""

from __future__ import annotations

import pytest

from services.media.post_cache import FRESH_S, PostCache


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def cache(seconds: Seconds) -> PostCache[str]:
    return PostCache(10, seconds)


def test_a_post_is_kept_while_fresh(cache: PostCache[str], seconds: Seconds) -> None:
    cache.put(1, 1, "one", cache.now())
    assert cache.get(1) == "one"
    seconds.now += FRESH_S
    assert cache.get(1) is None


def test_freshness_counts_from_before_the_read(cache: PostCache[str], seconds: Seconds) -> None:
    read_at = cache.now()
    seconds.now += FRESH_S
    cache.put(1, 1, "one", read_at)
    assert cache.get(1) is None


def test_a_change_forgets_what_came_before(cache: PostCache[str]) -> None:
    cache.put(1, 1, "one", cache.now())
    cache.changed(1, 2)
    assert cache.get(1) is None


def test_a_read_that_a_change_overtook_is_not_kept(cache: PostCache[str]) -> None:
    read_at = cache.now()
    cache.changed(1, 2)
    cache.put(1, 1, "one", read_at)
    assert cache.get(1) is None


def test_news_of_what_is_kept_already_changes_nothing(cache: PostCache[str]) -> None:
    cache.put(1, 2, "two", cache.now())
    cache.changed(1, 2)
    cache.changed(1, 1)
    assert cache.get(1) == "two"


def test_an_older_version_does_not_replace_a_newer(cache: PostCache[str]) -> None:
    cache.put(1, 2, "two", cache.now())
    cache.put(1, 1, "one", cache.now())
    assert cache.get(1) == "two"


def test_memory_is_bounded(cache: PostCache[str]) -> None:
    for post_id in range(100):
        cache.put(post_id, 1, "post", cache.now())
    assert sum(cache.get(post_id) is not None for post_id in range(100)) == 10
