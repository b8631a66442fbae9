"""Findings: what stands out in calls, each with one number, one sentence and one command to paste.

A module takes frames of calls, or sums over them, and returns findings. None knows another.
"""
