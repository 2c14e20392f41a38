"""A warehouse of Parquet files: what any cluster can write, and DuckDB reads."""
