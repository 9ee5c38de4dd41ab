"""Counting: exactly, or cheaply with a bounded loss."""

from mesh.counting.exact import Contended, Entry, ExactCounter, Standing
from mesh.counting.lossy import LossyCounter, lossy_table

__all__ = ["Contended", "Entry", "ExactCounter", "LossyCounter", "Standing", "lossy_table"]
