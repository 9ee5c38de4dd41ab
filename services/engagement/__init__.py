"""Likes, comments and their counts, live."""
