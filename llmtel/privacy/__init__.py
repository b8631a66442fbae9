"""Privacy: what must not leave a machine, found and replaced. Strings in, strings and counts out."""
