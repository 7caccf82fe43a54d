"""nginx's configuration: the file as a tree, its includes, what holds for a location, and the hops in it."""
