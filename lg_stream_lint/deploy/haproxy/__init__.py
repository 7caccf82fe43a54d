"""HAProxy's configuration: sections, what they inherit, and the hops in them."""
