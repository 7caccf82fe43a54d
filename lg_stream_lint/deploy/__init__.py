"""What the deployment says: readers that turn files into settings, and the ways of a stream that they add up to."""
