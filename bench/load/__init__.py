"""See ``bench/load/__main__.py``."""
