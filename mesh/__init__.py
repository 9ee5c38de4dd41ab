"""The runtime library: knows no service."""
