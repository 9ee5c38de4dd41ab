"""Finds people, posts, hashtags and places."""
