"""Rules over the settings of the process that serves: LGS5."""
