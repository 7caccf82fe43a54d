"""What the readers of several proxies share: words of a line, settings with their values, addresses."""
