"""What the fields of an account may hold. Each function answers the value to keep, or raises INVALID_FIELD."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email

from mesh.errors import invalid
from mesh.limits import longest

MAX_DISPLAY_NAME = longest("edge.v1.resources.Account.display_name")
MAX_BIO = longest("edge.v1.resources.Account.bio")
MAX_WEBSITE = longest("edge.v1.resources.Account.website")
MAX_CLIENT = 200
_USERNAME = re.compile(r"(?!\.)(?!.*\.\.)[a-z0-9._]{3,30}(?<!\.)")
_RESERVED = frozenset(Path(__file__).with_name("reserved_usernames.txt").read_text().split())


def username(text: str) -> str:
    """Lower-cased; 3 to 30 of a-z, 0-9, ``_`` and ``.``, with no dot first, last or twice; not reserved."""
    name = text.strip().lower()
    if not _USERNAME.fullmatch(name):
        expected = "must be 3 to 30 of a-z, 0-9, _ and ., with no dot first, last or twice in a row"
        raise invalid("username", expected)
    if name in _RESERVED:
        raise invalid("username", "this name is reserved: choose another")
    return name


def folded_username(text: str) -> str | None:
    """The name that a text could mean, or None where no account could have it."""
    name = text.strip().lower()
    return name if _USERNAME.fullmatch(name) else None


def email(text: str) -> str:
    """Normalised and lower-cased, so that one mailbox is one account; its domain is not looked up."""
    try:
        return str(validate_email(text.strip(), check_deliverability=False).normalized).lower()
    except EmailNotValidError as error:
        raise invalid("email", f"must be an e-mail address: {error}") from None


def display_name(text: str) -> str:
    """One short line."""
    return _line("display_name", text, MAX_DISPLAY_NAME)


def bio(text: str) -> str:
    """A short text; line breaks are kept."""
    lines = [_line("bio", line, MAX_BIO) for line in text.strip().splitlines()]
    return _short("bio", "\n".join(lines), MAX_BIO)


def website(text: str) -> str:
    """Empty, or an http or https address."""
    address = _line("website", text, MAX_WEBSITE)
    if not address:
        return ""
    try:
        parts = urlsplit(address)
        well_formed = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    except ValueError:
        well_formed = False
    if not well_formed or " " in address:
        raise invalid("website", "must be an http or https address, such as https://example.com")
    return address


def client(text: str) -> str:
    """How a client describes itself: cut to 200 characters, never refused."""
    return "".join(c for c in text if c.isprintable())[:MAX_CLIENT]


def _line(name: str, text: str, most: int) -> str:
    line = unicodedata.normalize("NFC", text).strip()
    # Cc: control characters; Cs: lone surrogates; direction overrides could make one name look like another.
    if any(
        unicodedata.category(c) in ("Cc", "Cs") or c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        for c in line
    ):
        raise invalid(name, "must not contain control characters")
    return _short(name, line, most)


def _short(name: str, text: str, most: int) -> str:
    if len(text) > most:
        raise invalid(name, f"must be at most {most} characters, not {len(text)}")
    return text
