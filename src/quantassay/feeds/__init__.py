"""Bring outside data in: read it, name what is wrong with it, and never guess."""
