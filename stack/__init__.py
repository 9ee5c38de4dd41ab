"""The real servers on one machine: Redis, S3, Envoy, Cassandra, MinIO; started, watched, stopped."""
