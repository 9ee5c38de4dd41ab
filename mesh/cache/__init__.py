"""Redis, shared: caches, scripts and, through connections of their own, blocking reads of the bus."""

from mesh.cache.client import Cache

__all__ = ["Cache"]
