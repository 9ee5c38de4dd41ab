"""Conformance suites, and the mesh in one process, for tests."""
