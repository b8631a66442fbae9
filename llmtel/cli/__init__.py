"""The command line: options become values, one call answers them, and the exit code says how it went."""
