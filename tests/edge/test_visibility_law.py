"""The visibility law, checked over every combination of its facts against statements of their own.

Relations: 2^7; authors: 4; posts: none, or 4 audiences × archived; surfaces: 2; and the author as their own
viewer. 9,216 combinations, each held against every statement below.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import pytest

from edge.visibility import Audience, Author, PostFacts, Relation, Sight, Surface, sight

ME, AUTHOR = 1, 2
NAMES = [field.name for field in fields(Relation)]
RELATIONS = [
    Relation(**dict(zip(NAMES, bits, strict=True))) for bits in itertools.product((False, True), repeat=len(NAMES))
]
AUTHORS = [Author(AUTHOR, private, hidden) for private in (False, True) for hidden in (False, True)]
POSTS = [None, *(PostFacts(audience, archived) for audience in Audience for archived in (False, True))]


@dataclass(frozen=True)
class Case:
    """One combination."""

    author: Author
    relation: Relation
    post: PostFacts | None
    surface: Surface

    def seen(self, viewer: int = ME) -> Sight:
        return sight(viewer, self.author, self.relation, self.post, self.surface)

    def but(self, **changed: bool) -> Case:
        return replace(self, relation=replace(self.relation, **changed))


CASES = [Case(*facts) for facts in itertools.product(AUTHORS, RELATIONS, POSTS, Surface)]


def where(**facts: bool) -> Iterator[Case]:
    """Cases whose relation has these facts."""
    for case in CASES:
        if all(getattr(case.relation, name) is value for name, value in facts.items()):
            yield case


def posts(cases: Iterator[Case] | list[Case], *audiences: Audience) -> Iterator[Case]:
    """Cases of a post, of these audiences where any are named."""
    for case in cases:
        if case.post and (not audiences or case.post.audience in audiences):
            yield case


def test_there_are_as_many_cases_as_facts_make() -> None:
    assert len(CASES) == 256 * 4 * 9 * 2


def test_authors_see_everything_of_their_own() -> None:
    for case in CASES:
        assert case.seen(viewer=AUTHOR) is Sight.FULL


def test_whom_the_author_blocks_sees_nothing_at_all() -> None:
    for case in where(blocked_by=True):
        assert case.seen() is Sight.NOTHING


def test_nobody_sees_anything_of_a_deactivated_or_suspended_author() -> None:
    for case in CASES:
        if case.author.hidden:
            assert case.seen() is Sight.NOTHING


def test_who_blocks_sees_at_most_the_card_and_only_when_asking_for_it() -> None:
    for case in where(blocking=True):
        assert case.seen() <= (Sight.CARD if case.post is None and case.surface is Surface.ASKED else Sight.NOTHING)


def test_who_blocks_still_finds_the_person_to_unblock() -> None:
    for case in where(blocking=True, blocked_by=False):
        if case.post is None and case.surface is Surface.ASKED and not case.author.hidden:
            assert case.seen() is Sight.CARD


def test_a_post_for_its_author_alone_is_never_seen_by_another() -> None:
    for case in posts(CASES, Audience.ONLY_ME):
        assert case.seen() is Sight.NOTHING


def test_an_archived_post_is_never_seen_by_another() -> None:
    for case in posts(CASES):
        assert case.post
        if case.post.archived:
            assert case.seen() is Sight.NOTHING


def test_a_post_for_followers_is_never_seen_by_who_does_not_follow() -> None:
    for case in posts(where(following=False), Audience.FOLLOWERS):
        assert case.seen() is Sight.NOTHING


def test_a_post_for_close_friends_is_never_seen_by_who_is_none() -> None:
    for case in posts(where(close_friend_of=False), Audience.CLOSE_FRIENDS):
        assert case.seen() is Sight.NOTHING


def test_nothing_of_a_private_author_but_the_card_is_seen_by_who_does_not_follow() -> None:
    for case in where(following=False):
        if case.author.private:
            assert case.seen() <= (Sight.NOTHING if case.post else Sight.CARD)


def test_a_request_to_follow_shows_no_more_than_none() -> None:
    for case in where(requested=True):
        assert case.seen() is case.but(requested=False).seen()


def test_being_followed_by_the_author_changes_nothing() -> None:
    for case in where(followed_by=True):
        assert case.seen() is case.but(followed_by=False).seen()


def test_muting_hides_what_comes_unasked_and_nothing_else() -> None:
    for case in where(muting=True):
        if case.surface is Surface.UNASKED:
            assert case.seen() is Sight.NOTHING
        else:
            assert case.seen() is case.but(muting=False).seen()


def test_of_a_post_one_sees_all_or_nothing() -> None:
    for case in posts(CASES):
        assert case.seen() in (Sight.FULL, Sight.NOTHING)


@pytest.mark.parametrize("name", ["following", "close_friend_of"])
def test_coming_closer_never_shows_less(name: str) -> None:
    for case in where(**{name: False}):
        assert case.but(**{name: True}).seen() >= case.seen()


@pytest.mark.parametrize("name", ["blocking", "blocked_by", "muting"])
def test_turning_away_never_shows_more(name: str) -> None:
    for case in where(**{name: False}):
        assert case.but(**{name: True}).seen() <= case.seen()


def test_going_private_hiding_or_archiving_never_shows_more() -> None:
    for case in CASES:
        for name in ("private", "hidden"):
            closed = replace(case, author=replace(case.author, **{name: True}))
            assert closed.seen() <= replace(case, author=replace(case.author, **{name: False})).seen()
        if case.post:
            shut, open_ = (replace(case, post=replace(case.post, archived=value)) for value in (True, False))
            assert shut.seen() <= open_.seen()


def test_nothing_comes_unasked_that_would_not_be_shown_when_asked() -> None:
    for case in CASES:
        assert replace(case, surface=Surface.UNASKED).seen() <= replace(case, surface=Surface.ASKED).seen()


def test_no_post_is_seen_of_whom_the_profile_is_not() -> None:
    for case in posts(CASES):
        if case.seen() is Sight.FULL:
            assert replace(case, post=None).seen() is Sight.FULL


def test_a_narrower_audience_never_shows_more() -> None:
    order = (Audience.EVERYONE, Audience.FOLLOWERS, Audience.ONLY_ME)
    for case in posts(CASES):
        assert case.post
        shown = [replace(case, post=replace(case.post, audience=audience)).seen() for audience in order]
        assert shown == sorted(shown, reverse=True)


# What must be seen: without these a law that shows nothing would do.


def undisturbed(**facts: bool) -> Iterator[Case]:
    for case in where(blocking=False, blocked_by=False, muting=False, **facts):
        if not case.author.hidden and not (case.post and case.post.archived):
            yield case


def test_everyone_sees_a_public_authors_posts_for_everyone_and_their_profile() -> None:
    for case in undisturbed():
        if not case.author.private and (case.post is None or case.post.audience is Audience.EVERYONE):
            assert case.seen() is Sight.FULL


def test_everyone_finds_a_private_authors_card() -> None:
    for case in undisturbed():
        if case.post is None:
            assert case.seen() >= Sight.CARD


def test_followers_see_all_that_is_meant_for_them() -> None:
    for case in undisturbed(following=True):
        if case.post is None or case.post.audience in (Audience.EVERYONE, Audience.FOLLOWERS):
            assert case.seen() is Sight.FULL


def test_close_friends_who_follow_see_what_is_meant_for_them() -> None:
    for case in posts(undisturbed(following=True, close_friend_of=True), Audience.CLOSE_FRIENDS):
        assert case.seen() is Sight.FULL
