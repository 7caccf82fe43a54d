"""Apache's configuration: directives in sections, and the hops in them."""
