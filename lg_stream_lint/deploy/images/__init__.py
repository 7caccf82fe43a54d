"""Images: what a Dockerfile makes of them."""
