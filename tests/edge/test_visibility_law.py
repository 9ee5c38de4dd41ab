"""The visibility law, checked over every combination of its facts against statements of their own.

Circles: 2^7; authors: 4; of a person: card, profile, list, picture; of content: 5 audiences (one of them by name)
× what else is so of it, asked for and unasked; and the author as their own viewer.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace

import pytest

from edge.visibility import (
    Audience,
    Author,
    Circle,
    Kind,
    Restriction,
    Subject,
    Viewer,
    may_come_unasked,
    may_see,
    may_see_card,
    may_see_comment,
    may_see_list,
    may_see_medium,
    may_see_profile,
)

ME, AUTHOR, ANOTHER = 1, 2, 3
NOW = 1_800_000_000_000
NAMES = [field.name for field in fields(Circle)]
CIRCLES = [frozenset(names) for count in range(8) for names in itertools.combinations(NAMES, count)]
HIDDEN, REMOVED = frozenset({Restriction.HIDDEN}), frozenset({Restriction.REMOVED})
AUTHORS = [Author(AUTHOR, private, held) for private in (False, True) for held in (frozenset(), HIDDEN)]
MEANT = [*((audience, None) for audience in Audience), *((Audience.EVERYONE, frozenset(m)) for m in ({ME}, {ANOTHER}))]
STATES = [
    {},
    {"archived": True},
    {"expire_time_ms": NOW},
    {"expire_time_ms": NOW + 1},
    {"restrictions": REMOVED},
]
SUBJECTS = [Subject(Kind.POST, *meant, **state) for meant in MEANT for state in STATES]


@dataclass(frozen=True)
class Case:
    """One combination; ``has``: in which of the viewer's sets the author is."""

    author: Author
    has: frozenset[str]
    subject: Subject

    @property
    def viewer(self) -> Viewer:
        return self.by(ME)

    def by(self, user_id: int) -> Viewer:
        return Viewer(user_id, Circle(**{name: frozenset({AUTHOR}) for name in self.has}), NOW)

    def seen(self) -> bool:
        return may_see(self.viewer, self.author, self.subject)

    def unasked(self) -> bool:
        return may_come_unasked(self.viewer, self.author, self.subject)

    def card(self) -> bool:
        return may_see_card(self.viewer, self.author)

    def profile(self) -> bool:
        return may_see_profile(self.viewer, self.author)

    def all(self) -> tuple[bool, ...]:
        return self.card(), self.profile(), self.seen(), self.unasked()

    def but(self, name: str, held: bool) -> Case:
        return replace(self, has=self.has | {name} if held else self.has - {name})


CASES = [Case(*facts) for facts in itertools.product(AUTHORS, CIRCLES, SUBJECTS)]


def where(cases: Iterable[Case] = CASES, **facts: bool) -> Iterator[Case]:
    """Cases in which the author is, or is not, in these of the viewer's sets."""
    return (case for case in cases if all((name in case.has) is value for name, value in facts.items()))


def meant(*audiences: Audience, cases: Iterable[Case] = CASES) -> Iterator[Case]:
    return (case for case in cases if case.subject.members is None and case.subject.audience in audiences)


def test_there_are_as_many_cases_as_facts_make() -> None:
    assert len(CASES) == 128 * 4 * (6 * 5)


def test_authors_see_everything_of_their_own_but_what_was_taken_down() -> None:
    for case in CASES:
        me = case.by(AUTHOR)
        assert may_see(me, case.author, case.subject) is (not case.subject.restrictions)
        assert may_see_card(me, case.author)
        assert may_see_profile(me, case.author)


def test_what_was_taken_down_is_seen_by_nobody() -> None:
    for case in CASES:
        if case.subject.restrictions:
            assert not case.seen()


def test_whom_the_author_blocks_sees_nothing_at_all() -> None:
    for case in where(blocked_by=True):
        assert not any(case.all())


def test_nobody_sees_anything_of_a_deactivated_or_suspended_author() -> None:
    for case in CASES:
        if case.author.restrictions:
            assert not any(case.all())


def test_who_blocks_sees_the_card_to_unblock_and_no_more() -> None:
    for case in where(blocking=True):
        assert (case.profile(), case.seen(), case.unasked()) == (False, False, False)
    for case in where(blocking=True, blocked_by=False):
        assert case.card() is (not case.author.restrictions)


def test_what_is_for_its_author_alone_is_never_seen_by_another() -> None:
    for case in meant(Audience.ONLY_ME):
        assert not case.seen()


def test_what_is_for_people_by_name_is_never_seen_by_another() -> None:
    for case in CASES:
        if case.subject.members is not None and ME not in case.subject.members:
            assert not case.seen()


def test_what_is_archived_or_expired_is_never_seen_by_another() -> None:
    for case in CASES:
        if case.subject.archived or case.subject.expire_time_ms == NOW:
            assert not case.seen()


def test_what_is_for_followers_is_never_seen_by_who_does_not_follow() -> None:
    for case in meant(Audience.FOLLOWERS, cases=where(following=False)):
        assert not case.seen()


def test_what_is_for_close_friends_is_never_seen_by_who_is_none() -> None:
    for case in meant(Audience.CLOSE_FRIENDS, cases=where(close_friend_of=False)):
        assert not case.seen()


def test_nothing_of_a_private_author_but_the_card_is_seen_by_who_does_not_follow() -> None:
    for case in where(following=False):
        if case.author.private:
            assert (case.profile(), case.seen()) == (False, False)


@pytest.mark.parametrize("name", ["requested", "close_friends"])
def test_what_one_only_asks_or_says_oneself_shows_nothing_more(name: str) -> None:
    for case in where(**{name: True}):
        assert case.all() == case.but(name, False).all()


def test_muting_hides_what_comes_unasked_and_nothing_else() -> None:
    for case in where(muting=True):
        assert not case.unasked()
        assert case.all()[:3] == case.but("muting", False).all()[:3]


@pytest.mark.parametrize("name", ["following", "close_friend_of"])
def test_coming_closer_never_shows_less(name: str) -> None:
    for case in where(**{name: False}):
        for shown, before in zip(case.but(name, True).all(), case.all(), strict=True):
            assert shown >= before


@pytest.mark.parametrize("name", ["blocking", "blocked_by", "muting"])
def test_turning_away_never_shows_more(name: str) -> None:
    for case in where(**{name: False}):
        for shown, before in zip(case.but(name, True).all(), case.all(), strict=True):
            assert shown <= before


@pytest.mark.parametrize(
    "close",
    [
        lambda case: replace(case, author=replace(case.author, private=True)),
        lambda case: replace(case, author=replace(case.author, restrictions=HIDDEN)),
        lambda case: replace(case, subject=replace(case.subject, archived=True)),
        lambda case: replace(case, subject=replace(case.subject, restrictions=REMOVED)),
        lambda case: replace(case, subject=replace(case.subject, expire_time_ms=NOW)),
        lambda case: replace(case, subject=replace(case.subject, members=frozenset({ANOTHER}))),
    ],
    ids=["private", "hidden", "archived", "removed", "expired", "for others"],
)
def test_closing_never_shows_more(close: Callable[[Case], Case]) -> None:
    for case in CASES:
        for shown, before in zip(close(case).all(), case.all(), strict=True):
            assert shown <= before


def test_nothing_comes_unasked_that_would_not_be_shown_when_asked_nor_of_whom_the_profile_is_not() -> None:
    for case in CASES:
        assert case.unasked() <= case.seen() <= case.profile() <= case.card()


def test_a_narrower_audience_never_shows_more() -> None:
    order = (Audience.EVERYONE, Audience.FOLLOWERS, Audience.ONLY_ME)
    for case in meant(Audience.EVERYONE):
        shown = [replace(case, subject=replace(case.subject, audience=each)).seen() for each in order]
        assert shown == sorted(shown, reverse=True)


def test_lists_and_media_and_comments_follow_what_they_belong_to() -> None:
    others = [Author(ANOTHER), Author(ANOTHER, private=True), Author(ANOTHER, restrictions=HIDDEN)]
    for case in CASES:
        assert may_see_list(case.viewer, case.author) is case.profile()
        assert may_see_medium(case.viewer, case.author, case.subject) is case.seen()
        assert may_see_medium(case.viewer, case.author, None) is case.card()
        for commenter in others:
            shown = may_see_comment(case.viewer, commenter, case.author, case.subject)
            assert shown is (case.seen() and not commenter.restrictions)


# What must be seen: without these a law that shows nothing would do.


def undisturbed(**facts: bool) -> Iterator[Case]:
    for case in where(blocking=False, blocked_by=False, muting=False, **facts):
        subject = case.subject
        if not (case.author.restrictions or subject.archived or subject.restrictions or subject.expire_time_ms == NOW):
            yield case


def test_everyone_sees_a_public_authors_profile_and_what_is_for_everyone() -> None:
    for case in undisturbed():
        if not case.author.private:
            assert case.profile()
            if case.subject.audience is Audience.EVERYONE and case.subject.members in (None, {ME}):
                assert case.seen()
                assert case.unasked()


def test_everyone_finds_a_private_authors_card() -> None:
    for case in undisturbed():
        assert case.card()


def test_followers_see_all_that_is_meant_for_them() -> None:
    for case in meant(Audience.EVERYONE, Audience.FOLLOWERS, cases=undisturbed(following=True)):
        assert case.profile()
        assert case.unasked()


def test_close_friends_who_follow_see_what_is_meant_for_them() -> None:
    for case in meant(Audience.CLOSE_FRIENDS, cases=undisturbed(following=True, close_friend_of=True)):
        assert case.unasked()


def test_whom_it_names_sees_what_is_meant_for_people_by_name() -> None:
    for case in undisturbed(following=True):
        if case.subject.members == {ME}:
            assert case.seen()
