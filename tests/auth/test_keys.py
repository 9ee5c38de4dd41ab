"""Signing keys: rotation that no verifier is surprised by, and files that nobody sees half of."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mesh.auth import tokens
from mesh.auth.keys import KeyRing, jwks_path
from mesh.auth.tokens import TokenVerifier
from mesh.clock import FakeClock

MINUTE = 60_000
ROTATE, OVERLAP, LIFE = 100 * MINUTE, 10 * MINUTE, 5 * MINUTE


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ring(tmp_path: Path, clock: FakeClock) -> KeyRing:
    ring = KeyRing(tmp_path, clock, ROTATE, OVERLAP)
    ring.refresh()
    return ring


def published(directory: Path) -> list[str]:
    return [key["kid"] for key in json.loads(jwks_path(directory).read_text())["keys"]]


def signed(ring: KeyRing, clock: FakeClock, life_ms: int = LIFE) -> str:
    none: frozenset[str] = frozenset()
    now = clock.now_ms()
    return tokens.sign(ring, user_id=1, session_id=2, scopes=none, roles=none, now_ms=now, life_ms=life_ms)


def test_new_key_is_published_before_it_signs_and_the_old_one_after_its_last_token(
    ring: KeyRing, tmp_path: Path, clock: FakeClock
) -> None:
    first = ring.signing_key().kid
    clock.advance(ROTATE)
    ring.refresh()
    assert len(published(tmp_path)) == 2
    assert ring.signing_key().kid == first
    clock.advance(OVERLAP)
    second = ring.signing_key().kid
    assert second != first
    clock.advance(LIFE)
    ring.refresh()
    assert published(tmp_path) == [first, second]
    clock.advance(OVERLAP - LIFE)
    ring.refresh()
    assert published(tmp_path) == [second]
    assert sorted(path.stem for path in tmp_path.glob("*.pem")) == [second]


def test_no_verifier_ever_meets_a_token_that_it_cannot_check(ring: KeyRing, tmp_path: Path, clock: FakeClock) -> None:
    """Over a year of rotation, with a verifier that looks at the file half as often as keys overlap."""
    verifier = TokenVerifier(jwks_path(tmp_path), clock)
    alive: list[tuple[int, str]] = []
    kids = set()
    for _ in range(500):
        alive = [(expire, token) for expire, token in alive if expire > clock.now_ms()]
        alive.append((clock.now_ms() + LIFE, signed(ring, clock)))
        kids.add(ring.signing_key().kid)
        assert {verifier.verify(token).user_id for _, token in alive} == {1}
        clock.advance(MINUTE)
        ring.refresh()
    assert len(kids) > 3


def test_ring_that_was_not_refreshed_for_long_keeps_a_key_to_sign_with(ring: KeyRing, clock: FakeClock) -> None:
    clock.advance(50 * ROTATE)
    ring.refresh()
    assert ring.signing_key().kid in [key.kid for key in ring._keys]


def test_refresh_may_be_repeated(ring: KeyRing, tmp_path: Path) -> None:
    before = jwks_path(tmp_path).stat().st_mtime_ns, published(tmp_path)
    ring.refresh()
    assert (jwks_path(tmp_path).stat().st_mtime_ns, published(tmp_path)) == before


def test_ring_of_a_new_process_signs_with_the_same_key(ring: KeyRing, tmp_path: Path, clock: FakeClock) -> None:
    other = KeyRing(tmp_path, clock, ROTATE, OVERLAP)
    other.refresh()
    assert other.signing_key().kid == ring.signing_key().kid


def test_private_keys_are_their_owners_alone_and_the_public_set_has_none_of_them(ring: KeyRing, tmp_path: Path) -> None:
    assert stat.S_IMODE(next(tmp_path.glob("*.pem")).stat().st_mode) == 0o600
    text = jwks_path(tmp_path).read_text()
    assert "PRIVATE" not in text
    [key] = json.loads(text)["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    assert (key["alg"], key["use"], key["crv"]) == ("ES256", "sig", "P-256")


def test_private_key_is_never_readable_by_others_not_even_while_it_is_written(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        seen.append(stat.S_IMODE(self.stat().st_mode))
        return replace(self, target)

    opened: list[int] = []
    really_open = os.open

    def open_watched(path: object, flags: int, mode: int = 0o777, **more: int) -> int:
        if ".pem" in str(path):
            opened.append(mode)
        return really_open(path, flags, mode, **more)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(Path, "replace", watched)
    monkeypatch.setattr(os, "open", open_watched)
    KeyRing(tmp_path, clock, ROTATE, OVERLAP).refresh()
    assert seen[0] == 0o600
    assert opened == [0o600]


def test_reader_never_sees_half_a_key_set(ring: KeyRing, tmp_path: Path, clock: FakeClock) -> None:
    stop = threading.Event()
    broken: list[str] = []
    read = 0

    def look() -> None:
        nonlocal read
        while not stop.is_set():
            text = jwks_path(tmp_path).read_text()
            read += 1
            try:
                assert json.loads(text)["keys"]
            except (ValueError, AssertionError):
                broken.append(text)

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(200):
        clock.advance(ROTATE)
        ring.refresh()
    stop.set()
    reader.join()
    assert read > 0
    assert broken == []
    assert [path.name for path in jwks_path(tmp_path).parent.iterdir()] == ["jwks.json"]


def test_file_that_is_no_such_key_is_named(ring: KeyRing, tmp_path: Path) -> None:
    other = rsa.generate_private_key(65537, 2048)
    pem = other.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "00000000000001.pem").write_bytes(pem)
    with pytest.raises(ValueError, match=r"00000000000001\.pem is not an EC private key"):
        ring.refresh()
