"""Measurements against controls in the same run; none of them is a test."""
