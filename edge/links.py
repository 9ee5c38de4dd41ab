"""Links to image bytes: ``/m/<token>/<name>``, short-lived and signed.

A token is bound to the asset, the post that shows it, its owner, the owner's media epoch, the viewer
class and an hour of expiry; the file name picks the variant and is bound too. It says nothing about where the bytes
are: the gate (``edge/gate.py``) finds that out once the token holds. Within an hour the same link
is made again, so that browsers and caches may keep what it names.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass

from mesh.clock import Clock

WINDOW_S = 3600
EPOCH_MASK = 0xFFFFFFFF
"""Epochs are compared by their last 32 bits."""
_FORMAT = struct.Struct(">QQQQII")
_TAG_BYTES = 12


@dataclass(frozen=True, slots=True)
class Link:
    """What a token says, once its signature holds and it has not expired."""

    asset_id: int
    owner_id: int
    viewer_id: int
    """The viewer class: one viewer's user id, or ANYONE for what everybody may see."""
    epoch: int
    name: str
    post_id: int = 0
    """The post that shows the asset: the link holds as long as its viewer may see that. 0: none (an avatar)."""


class Links:
    """Makes and opens links with one key."""

    def __init__(self, key: bytes, clock: Clock, base_url: str) -> None:
        self._key = key
        self._clock = clock
        self._base_url = base_url.rstrip("/")

    def url(self, link: Link) -> str:
        """The URL of one variant; lives one to two hours."""
        expire_s = (self.window() + 2) * WINDOW_S
        epoch = link.epoch & EPOCH_MASK
        body = _FORMAT.pack(link.asset_id, link.owner_id, link.viewer_id, link.post_id, epoch, expire_s)
        token = _text(body + self._tag(body, link.name))
        return f"{self._base_url}/m/{token}/{link.name}"

    def window(self) -> int:
        """The number of the hour: links made in the same one are the same."""
        return self._clock.now_ms() // 1000 // WINDOW_S

    def open(self, token: str, name: str) -> Link | None:
        """What a token stands for, or None: forged, for another file, or expired."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        body, tag = raw[: _FORMAT.size], raw[_FORMAT.size :]
        if _text(raw) != token:  # base64 has several texts for the same bytes: one link has one
            return None
        if len(body) != _FORMAT.size or not hmac.compare_digest(tag, self._tag(body, name)):
            return None
        asset_id, owner_id, viewer_id, post_id, epoch, expire_s = _FORMAT.unpack(body)
        if expire_s * 1000 <= self._clock.now_ms():
            return None
        return Link(asset_id, owner_id, viewer_id, epoch, name, post_id)

    def _tag(self, body: bytes, name: str) -> bytes:
        return hashlib.blake2b(body + name.encode(), key=self._key, digest_size=_TAG_BYTES).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
