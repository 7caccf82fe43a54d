"""Rules over the settings of what passes a stream on: LGS6."""
