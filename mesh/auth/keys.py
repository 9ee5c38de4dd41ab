"""Signing keys of access tokens: ES256 key files in one folder, and the public set beside them.

``<dir>/<kid>.pem`` are private keys, read by the accounts service alone; ``<dir>/public/jwks.json``
(RFC 7517) is what everyone else needs: Envoy watches that folder and every service reads it. A new
key is published some time before it signs, and stays published until the last token it signed has
expired, so no verifier ever meets a token whose key it has not seen. Names sort by time.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from mesh.clock import Clock

ALGORITHM = "ES256"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and when it was made."""

    kid: str
    private: ec.EllipticCurvePrivateKey
    create_time_ms: int


def jwks_path(directory: Path) -> Path:
    """Where the public set stands, in a folder of its own so that it alone can be shared."""
    return directory / "public" / "jwks.json"


class KeyRing:
    """Keeps the key folder: makes, rotates and retires keys. One writer, the accounts service.

    ``rotate_ms``: a key signs for that long; ``overlap_ms``: a new key is published that long
    before it signs, and an old one that long after (more than a token's life).
    """

    def __init__(self, directory: Path, clock: Clock, rotate_ms: int, overlap_ms: int) -> None:
        self._directory = directory
        self._clock = clock
        self._rotate_ms = rotate_ms
        self._overlap_ms = overlap_ms
        self._keys: list[SigningKey] = []

    def refresh(self) -> None:
        """Read the folder, make the key that is due, retire what is over, publish. May be repeated."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        now = self._clock.now_ms()
        keys = [_read(path) for path in sorted(self._directory.glob("*.pem"))]
        if not keys or now - keys[-1].create_time_ms >= self._rotate_ms:
            keys.append(self._make(now))
        life = self._rotate_ms + 2 * self._overlap_ms
        self._keys = [key for key in keys if now - key.create_time_ms < life] or keys[-1:]
        for key in keys:
            if key not in self._keys:
                (self._directory / f"{key.kid}.pem").unlink(missing_ok=True)
        self._publish()

    def signing_key(self) -> SigningKey:
        """The newest key that verifiers have had time to see."""
        seen = [key for key in self._keys if self._clock.now_ms() - key.create_time_ms >= self._overlap_ms]
        return seen[-1] if seen else self._keys[0]

    def _make(self, now: int) -> SigningKey:
        private = ec.generate_private_key(ec.SECP256R1())
        key = SigningKey(f"{now:014d}", private, now)
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write(self._directory / f"{key.kid}.pem", pem, 0o600)
        return key

    def _publish(self) -> None:
        path = jwks_path(self._directory)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"keys": [_public(key) for key in self._keys]}, indent=1, sort_keys=True)
        if not path.exists() or path.read_text() != text:
            _write(path, text.encode(), 0o644)


def _read(path: Path) -> SigningKey:
    private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path.name} is not an EC private key: remove it from the key folder")
    return SigningKey(path.stem, private, int(path.stem))


def _public(key: SigningKey) -> dict[str, Any]:
    jwk: dict[str, Any] = ECAlgorithm.to_jwk(key.private.public_key(), as_dict=True)
    return {**jwk, "kid": key.kid, "alg": ALGORITHM, "use": "sig"}


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replace a file in one step, so that no reader (Envoy watches for moves) sees half of it."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as file:
        file.write(content)
    scratch.chmod(mode)  # whatever the umask took away
    scratch.replace(path)
