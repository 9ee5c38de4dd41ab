"""Counting: exactly, or cheaply with a bounded loss."""

from mesh.counting.lossy import LossyCounter, lossy_table

__all__ = ["LossyCounter", "lossy_table"]
