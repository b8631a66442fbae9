"""Checks: rules that calls must meet, and the judgement whether a change is more than noise."""
