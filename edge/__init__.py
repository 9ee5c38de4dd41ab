"""The public gRPC API: compose, apply the visibility law, present."""
