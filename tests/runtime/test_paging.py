"""Page tokens continue the request that they were made for, and no other."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import Code, Problem
from mesh.paging import MAX_TOKEN_CHARS, PageTokens

TOKENS = PageTokens(b"k" * 32)
BINDING = ("comments", 7, "newest")


def refused(tokens: PageTokens, token: str, *binding: object) -> None:
    with pytest.raises(Problem) as caught:
        tokens.open(token, *binding)
    assert (caught.value.code, caught.value.reason) == (Code.INVALID_ARGUMENT, "INVALID_PAGE_TOKEN")
    assert [violation.field for violation in caught.value.fields] == ["page_token"]


@given(st.binary(min_size=1, max_size=300))
def test_cursor_is_read_back(cursor: bytes) -> None:
    assert TOKENS.open(TOKENS.sign(cursor, *BINDING), *BINDING) == cursor


def test_first_and_last_page_have_no_token() -> None:
    assert TOKENS.sign(b"", *BINDING) == ""
    assert TOKENS.open("", *BINDING) == b""


@pytest.mark.parametrize(
    "binding",
    [("likers", 7, "newest"), ("comments", 8, "newest"), ("comments", "7", "newest"), ("comments", 7), ()],
    ids=["another list", "another caller", "another type", "fewer parts", "nothing"],
)
def test_token_of_another_request_is_refused(binding: tuple[object, ...]) -> None:
    refused(TOKENS, TOKENS.sign(b"cursor", *BINDING), *binding)


def test_parts_of_a_binding_do_not_run_together() -> None:
    refused(TOKENS, TOKENS.sign(b"cursor", "ab", "c"), "a", "bc")


def test_token_of_another_installation_is_refused() -> None:
    refused(TOKENS, PageTokens(b"x" * 32).sign(b"cursor", *BINDING), *BINDING)


@given(st.binary(min_size=1, max_size=40), st.data())
def test_altered_token_is_refused(cursor: bytes, data: st.DataObject) -> None:
    token = TOKENS.sign(cursor, *BINDING)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from([letter for letter in alphabet if letter != token[at]]))
    refused(TOKENS, token[:at] + other + token[at + 1 :], *BINDING)
    refused(TOKENS, token[:at], *BINDING) if at else None


@given(st.text(min_size=1, max_size=100))
def test_any_other_text_is_refused(text: str) -> None:
    refused(TOKENS, text, *BINDING)


def test_token_without_a_cursor_or_with_padding_is_refused() -> None:
    whole = base64.urlsafe_b64decode(TOKENS.sign(b"c" * 3, *BINDING))
    refused(TOKENS, base64.urlsafe_b64encode(whole[:12]).decode(), *BINDING)
    token = TOKENS.sign(b"cc", *BINDING)
    refused(TOKENS, token + "=" * (-len(token) % 4), *BINDING)


def test_endless_token_is_refused_unread() -> None:
    refused(TOKENS, "A" * (MAX_TOKEN_CHARS + 1), *BINDING)


def test_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        PageTokens(b"short")
