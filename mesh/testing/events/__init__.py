"""The promises of the event bus as named tests, by theme; ``bus_conformance`` puts them together."""
