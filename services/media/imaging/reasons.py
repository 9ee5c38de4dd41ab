"""Why a source could not become a photo, and whether trying again can help."""

from __future__ import annotations

from enum import StrEnum


class RejectionReason(StrEnum):
    """What is wrong with the source. None of these passes by trying again."""

    NOT_AN_IMAGE = "NOT_AN_IMAGE"
    """The bytes begin like no image format."""
    UNSUPPORTED_FORMAT = "UNSUPPORTED_FORMAT"
    """An image, but neither JPEG, PNG nor WebP."""
    ANIMATED = "ANIMATED"
    """More than one frame: showing only the first would lose the rest in silence."""
    TOO_LARGE = "TOO_LARGE"
    """More bytes than a photo may have."""
    TOO_MANY_PIXELS = "TOO_MANY_PIXELS"
    """More pixels, or a longer side, than a photo may have; told from the header, before decoding."""
    TRUNCATED = "TRUNCATED"
    """The file ends before the picture does."""
    CORRUPT = "CORRUPT"
    """The format's decoder cannot make sense of the bytes."""
    TOO_COSTLY = "TOO_COSTLY"
    """Decoding took more memory or processor time than any real photo of that size."""


class ImageRejected(Exception):
    """The source is at fault; ``message`` says in a sentence what to send instead."""

    def __init__(self, reason: RejectionReason, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class WorkerUnavailable(Exception):
    """No answer about the source: the render may be tried again."""


class WorkerCrashed(WorkerUnavailable):
    """The process died or overran the wall clock in mid-render; it has been replaced.

    A source that does this again and again is hostile: the caller bounds its tries.
    """


class WorkerBusy(WorkerUnavailable):
    """Too many renders wait already; try later."""
