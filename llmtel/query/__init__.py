"""The semantic layer: every number llmtel can say, every way to split calls, and the engine that answers."""
