"""Places: the same name at the same spot is the same place, for every author."""

from __future__ import annotations

import base64
import hashlib
import unicodedata

from mesh.errors import invalid
from mesh.limits import longest
from services.media.captions import check_characters
from services.media.model import Place

MAX_NAME_CHARS = longest("edge.v1.resources.Place.name")
_DECIMALS = 3
"""About 110 metres of latitude."""


def make_place(name: str, latitude: float | None, longitude: float | None) -> Place:
    """A place with its stable id. Raises INVALID_FIELD."""
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if not 1 <= len(name) <= MAX_NAME_CHARS:
        raise invalid("place.name", f"must have 1 to {MAX_NAME_CHARS} characters")
    check_characters("place.name", name)
    if (latitude is None) is not (longitude is None):
        raise invalid("place", "give latitude and longitude together, or neither")
    if latitude is not None and not -90 <= latitude <= 90:
        raise invalid("place.latitude", "must be -90 to 90 degrees")
    if longitude is not None and not -180 <= longitude <= 180:
        raise invalid("place.longitude", "must be -180 to 180 degrees")
    return Place(_place_id(name, latitude, longitude), name, latitude, longitude)


def _place_id(name: str, latitude: float | None, longitude: float | None) -> str:
    spot = "" if latitude is None or longitude is None else f"{_rounded(latitude)} {_rounded(longitude)}"
    folded = unicodedata.normalize("NFKC", name).casefold()
    digest = hashlib.sha256(f"{folded}\n{spot}".encode()).digest()
    return base64.b32encode(digest[:10]).decode().lower()


def _rounded(degrees: float) -> str:
    return f"{round(degrees, _DECIMALS) + 0.0:.{_DECIMALS}f}"  # + 0.0: no negative zero
