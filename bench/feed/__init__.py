"""See ``bench/feed/__main__.py``."""
