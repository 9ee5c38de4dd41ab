"""Turning text into the words that are searched: one analyser for every engine."""
