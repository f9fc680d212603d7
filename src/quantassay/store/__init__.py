"""The only SQL and Parquet."""
