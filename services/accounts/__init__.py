"""Identity, credentials, sessions, profiles and privacy settings."""
