"""Statistics: numbers in, numbers out. Knows nothing of calls, metrics or frames."""
