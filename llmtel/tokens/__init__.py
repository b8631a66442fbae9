"""Counting tokens where a log has text and no counts, without a network. Text goes in, numbers come out."""
