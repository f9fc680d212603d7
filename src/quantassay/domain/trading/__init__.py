"""Orders, holdings and fills: what may be sent, what became of it, and how it fits with what the broker says."""
