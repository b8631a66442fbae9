"""llmtel: the offline log analyzer for LLM telemetry."""

__version__ = "0.1.0"
