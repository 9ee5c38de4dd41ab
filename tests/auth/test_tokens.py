"""Access tokens and mesh tokens: only what was signed with our key, for us, and is still good, holds."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from mesh.auth import tokens
from mesh.auth.keys import KeyRing, jwks_path
from mesh.auth.peers import PeerTokens
from mesh.auth.tokens import TokenVerifier
from mesh.clock import FakeClock
from mesh.errors import Code, Problem

SECRET = "s" * 64
LIFE = 60_000


class Office:
    """Where tokens are made and checked."""

    def __init__(self, directory: Path) -> None:
        self.clock = FakeClock(1_800_000_000_000)
        self.directory = directory
        self.ring = KeyRing(directory, self.clock, 10**12, 0)
        self.ring.refresh()
        self.verifier = TokenVerifier(jwks_path(directory), self.clock)

    def claims(self, **changed: Any) -> dict[str, Any]:
        now = self.clock.now_ms() // 1000
        claims = {
            "iss": "tintype",
            "aud": "tintype",
            "sub": "7",
            "sid": "9",
            "scope": "read",
            "roles": [],
            "exp": now + 60,
        }
        return {key: value for key, value in (claims | changed).items() if value is not None}

    def signed(self, claims: dict[str, Any], **header: Any) -> str:
        key = self.ring.signing_key()
        return jwt.encode(claims, key.private, algorithm="ES256", headers={"kid": key.kid} | header)

    def reason(self, token: str) -> str:
        with pytest.raises(Problem) as caught:
            self.verifier.verify(token)
        assert caught.value.code is Code.UNAUTHENTICATED
        return caught.value.reason


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_token_says_who_calls_and_what_they_may(office: Office) -> None:
    scopes, roles = frozenset({"read", "write"}), frozenset({"moderator"})
    now = office.clock.now_ms()
    token = tokens.sign(office.ring, user_id=5, session_id=6, scopes=scopes, roles=roles, now_ms=now, life_ms=LIFE)
    caller = office.verifier.verify(token)
    assert (caller.user_id, caller.session_id, caller.scopes, caller.roles) == (5, 6, scopes, roles)
    assert (caller.expire_time_ms, caller.token) == (now + LIFE, token)


def test_well_formed_token_of_the_tests_holds(office: Office) -> None:
    """So that the refusals below are for the one thing that each changes."""
    assert office.verifier.verify(office.signed(office.claims())).user_id == 7


def test_token_ends_at_its_expiry_even_if_it_was_verified_before(office: Office) -> None:
    token = office.signed(office.claims())
    office.clock.advance(59_999)
    office.verifier.verify(token)
    office.clock.advance(1)
    assert office.reason(token) == "TOKEN_EXPIRED"


WRONG_CLAIMS = {
    "another issuer": {"iss": "elsewhere"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "tintype-mesh"},
    "no audience": {"aud": None},
    "no expiry": {"exp": None},
    "no user": {"sub": None},
    "no session": {"sid": None},
    "user that is no number": {"sub": "admin"},
    "session that is no number": {"sid": "x"},
    "expiry that is no number": {"exp": "soon"},
    "not valid yet": {"nbf": 99_999_999_999},
    "scope that is no text": {"scope": 5},
    "roles that are no list": {"roles": 5},
}


@pytest.mark.parametrize("changed", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS.keys())
def test_claims_that_are_not_ours_are_refused(office: Office, changed: dict[str, Any]) -> None:
    key = office.ring.signing_key()
    claims = office.claims(**changed)
    # By hand: the library would refuse to make some of these.
    head = _part({"alg": "ES256", "kid": key.kid, "typ": "at+jwt"})
    body = _part(claims)
    signature = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).sign(
        f"{head}.{body}".encode(), key.private
    )
    assert office.reason(f"{head}.{body}.{_encode(signature)}") == "TOKEN_INVALID"


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _part(content: Any) -> str:
    return _encode(json.dumps(content).encode())


def test_unknown_key_is_refused(office: Office) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    claims = office.claims()
    known = office.ring.signing_key().kid
    for kid in ("nobody", known):
        assert office.reason(jwt.encode(claims, stranger, "ES256", headers={"kid": kid})) == "TOKEN_INVALID"
    assert office.reason(jwt.encode(claims, stranger, "ES256")) == "TOKEN_INVALID"


@pytest.mark.parametrize("kid", [["a"], {"a": 1}, 5, None])
def test_key_id_of_another_type_is_refused(office: Office, kid: Any) -> None:
    head = _part({"alg": "ES256", "kid": kid})
    assert office.reason(f"{head}.{_part(office.claims())}.{_encode(b'x' * 64)}") == "TOKEN_INVALID"


def test_unsigned_token_is_refused(office: Office) -> None:
    kid = office.ring.signing_key().kid
    for algorithm in ("none", "None", "NONE"):
        head = _part({"alg": algorithm, "kid": kid})
        assert office.reason(f"{head}.{_part(office.claims())}.") == "TOKEN_INVALID"


def test_public_key_used_as_a_shared_secret_is_refused(office: Office) -> None:
    """The confusion of RFC 8725, 2.1: HS256 over our own public key, in each form it might be taken in."""
    key = office.ring.signing_key()
    public = key.private.public_key()
    forms = (serialization.PublicFormat.SubjectPublicKeyInfo,)
    secrets = [public.public_bytes(serialization.Encoding.PEM, form) for form in forms]
    secrets.append(jwks_path(office.directory).read_bytes())
    for secret in secrets:
        message = f"{_part({'alg': 'HS256', 'kid': key.kid})}.{_part(office.claims())}"
        mac = hmac.HMAC(secret, hashes.SHA256())
        mac.update(message.encode())
        assert office.reason(f"{message}.{_encode(mac.finalize())}") == "TOKEN_INVALID"


def test_altered_token_is_refused(office: Office) -> None:
    head, _, signature = office.signed(office.claims()).split(".")
    other = _part(office.claims(sub="8"))
    assert office.reason(f"{head}.{other}.{signature}") == "TOKEN_INVALID"


@given(st.text(max_size=200))
def test_any_text_is_refused_and_nothing_else_happens(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    verifier = TokenVerifier(tmp_path_factory.getbasetemp() / "none.json", FakeClock())
    with pytest.raises(Problem, match="TOKEN_INVALID"):
        verifier.verify(text)


def test_token_made_to_exhaust_the_parser_is_refused(office: Office) -> None:
    deep = _encode(b"[" * 3000)
    assert office.reason(f"{deep}.{deep}") == "TOKEN_INVALID"
    assert office.reason(f"{deep}.e30.AA") == "TOKEN_INVALID"
    assert office.reason("a" * 5000) == "TOKEN_INVALID"


# --- keys that come and go while verifiers run


def test_verifier_that_started_first_learns_the_keys(tmp_path: Path) -> None:
    clock = FakeClock(1_800_000_000_000)
    verifier = TokenVerifier(jwks_path(tmp_path), clock)
    with pytest.raises(Problem, match="TOKEN_INVALID"):
        verifier.verify("a.b.c")
    office = Office(tmp_path)
    clock.advance(1000)
    assert verifier.verify(office.signed(office.claims())).user_id == 7


def test_key_that_is_withdrawn_takes_its_tokens_along(office: Office) -> None:
    token = office.signed(office.claims())
    office.verifier.verify(token)
    for file in office.directory.glob("*.pem"):
        file.unlink()
    office.clock.advance(2000)
    office.ring.refresh()
    assert office.reason(token) == "TOKEN_INVALID"
    assert office.verifier.verify(office.signed(office.claims())).user_id == 7


def test_key_set_that_cannot_be_read_changes_nothing(office: Office) -> None:
    token = office.signed(office.claims())
    office.verifier.verify(token)
    for content in ("", "{", '{"keys": [{}]}', "[]"):
        jwks_path(office.directory).write_text(content)
        office.clock.advance(1000)
        assert office.verifier.verify(token).user_id == 7


def test_key_set_is_read_no_more_than_once_a_second_whatever_is_sent(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    stat = Path.stat

    def counted(self: Path, **more: Any) -> Any:
        nonlocal looks
        looks += self.name == "jwks.json"
        return stat(self, **more)

    monkeypatch.setattr(Path, "stat", counted)
    for number in range(50):
        office.reason(office.signed(office.claims(), kid=f"made-up-{number}"))
    assert looks == 1


# --- peers


def peer_reason(peers: PeerTokens, token: str) -> str:
    with pytest.raises(Problem) as caught:
        peers.verify(token)
    return caught.value.reason


def test_peer_is_named_by_its_token() -> None:
    clock = FakeClock(1_800_000_000_000)
    media, graph = PeerTokens(SECRET, "media", clock), PeerTokens(SECRET, "graph", clock)
    assert graph.verify(media.token()) == "media"


def test_peer_of_another_installation_is_refused() -> None:
    clock = FakeClock(1_800_000_000_000)
    assert peer_reason(PeerTokens(SECRET, "a", clock), PeerTokens("t" * 64, "b", clock).token()) == "MESH_ONLY"


def test_mesh_token_is_renewed_before_it_ends_and_ends_though_it_was_verified() -> None:
    clock = FakeClock(1_800_000_000_000)
    ours, theirs = PeerTokens(SECRET, "ours", clock), PeerTokens(SECRET, "theirs", clock)
    first = theirs.token()
    assert ours.verify(first) == "theirs"
    clock.advance(301_000)
    assert theirs.token() != first
    assert ours.verify(first) == "theirs"
    clock.advance(300_000)
    assert peer_reason(ours, first) == "MESH_ONLY"
    assert ours.verify(theirs.token()) == "theirs"


def test_users_token_is_no_mesh_token_nor_the_other_way(office: Office) -> None:
    peers = PeerTokens(SECRET, "ours", office.clock)
    assert peer_reason(peers, office.signed(office.claims())) == "MESH_ONLY"
    assert office.reason(peers.token()) == "TOKEN_INVALID"


@pytest.mark.parametrize("token", ["", "a.b.c", "[", "\u00e9", "." * 10])
def test_text_that_is_no_mesh_token_is_refused(token: str) -> None:
    assert peer_reason(PeerTokens(SECRET, "ours", FakeClock()), token) == "MESH_ONLY"


def test_short_mesh_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32"):
        PeerTokens("short", "ours", FakeClock())
