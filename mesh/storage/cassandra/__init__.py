"""The cluster engine: real tables on Apache Cassandra."""
