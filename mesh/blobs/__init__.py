"""Blobs: immutable bytes under a key, in any S3 store. ``contract.py`` is what services see."""

from mesh.blobs.contract import BlobStore

__all__ = ["BlobStore"]
