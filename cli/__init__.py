"""The `tintype` command.

Commands import what they work with when they run: each starts fast, and `tintype --help` at once.
"""
