"""What becomes of a post whose facet cannot be read: left out and said so, or refused, as the facet has it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tintype.edge.v1 import resources_pb2 as public

from edge.facts.facets import Away, Facet, _facet
from mesh.errors import Code, Problem, not_found, unavailable


def failing(away: Away, problem: Problem) -> tuple[Facet, list[list[int]]]:
    """A facet whose service answers with a problem, and what it was asked."""
    asked: list[list[int]] = []

    async def load(post_ids: list[int]) -> Mapping[int, bytes]:
        asked.append(post_ids)
        raise problem

    return _facet("counts", load, away, 60.0, 10), asked


async def test_a_facet_that_may_be_left_out_is_and_is_not_asked_again_at_once() -> None:
    facet, asked = failing(Away.LEAVE_OUT, unavailable("engagement"))
    for _ in range(2):
        parts = await facet.memory.read([1, 2])
        assert [list(public.Post.FromString(parts[each]).left_out) for each in (1, 2)] == [["counts"]] * 2
    assert asked == [[1, 2]]


async def test_a_facet_that_must_be_there_refuses_the_answer_and_is_asked_again() -> None:
    facet, asked = failing(Away.REFUSE, unavailable("engagement"))
    for _ in range(2):
        with pytest.raises(Problem) as refused:
            await facet.memory.read([1])
        assert refused.value.code is Code.UNAVAILABLE
    assert asked == [[1], [1]]


async def test_what_is_not_an_absence_is_never_left_out() -> None:
    facet, _ = failing(Away.LEAVE_OUT, not_found("POST_NOT_FOUND", "there is no such post"))
    with pytest.raises(Problem):
        await facet.memory.read([1])
