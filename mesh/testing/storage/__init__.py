"""The promises of the table contract as named tests, by theme; ``storage_conformance`` puts them together."""
