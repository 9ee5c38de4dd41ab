"""Who is calling: tokens, keys and the caller."""
