"""Uploads, assets and their variants, posts."""
