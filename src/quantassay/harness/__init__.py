"""YAML in, canonical artifacts, gates, reports and packages out; it knows no market."""
