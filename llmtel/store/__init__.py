"""The store: calls read once and kept, a Delta Lake table of Parquet files, one folder a day."""
