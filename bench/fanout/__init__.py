"""How fast a post reaches its followers."""
