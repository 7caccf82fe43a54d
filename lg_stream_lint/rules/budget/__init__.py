"""Rules over the time budget of a whole way: LGS7."""
