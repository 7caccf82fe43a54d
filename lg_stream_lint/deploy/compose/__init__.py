"""docker compose: services put together from their files, and what they say."""
