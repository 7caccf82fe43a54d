"""LGS3: the function that yields."""
