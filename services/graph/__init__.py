"""Who follows, asks, blocks and mutes whom."""
