"""What the index holds, and whose data that is."""

from __future__ import annotations

from mesh.personal import Holding, Kind, nobodys, owned

TABLES = ()
"""None of its own."""

HOLDINGS = (
    Holding(Kind.INDEX, "User", owned("user_id")),
    Holding(Kind.INDEX, "ListedPost", owned("author_id")),
    Holding(Kind.INDEX, "HashtagCount", nobodys("how many posts for everybody have a hashtag")),
    Holding(Kind.INDEX, "PlaceCount", nobodys("how many posts for everybody were taken at a place")),
)
