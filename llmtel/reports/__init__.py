"""Documents: what a command answers, as blocks for people and tables for machines."""
