"""A little world to look at: people, pictures and words for a fresh installation."""
