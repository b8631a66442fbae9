"""Bytes to calls: which format a file has, and how its records become rows of FIELDS."""
