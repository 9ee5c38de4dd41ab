"""The `tintype` command."""
