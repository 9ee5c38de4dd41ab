"""The walk, with every call between services on a wire."""

from __future__ import annotations

from tests.mesh.test_walk import (
    test_the_core_of_the_walk_over_grpc_web,
    test_the_walk_over_grpc,
    test_the_walk_over_rest,
)

__all__ = ["test_the_core_of_the_walk_over_grpc_web", "test_the_walk_over_grpc", "test_the_walk_over_rest"]
