"""Moves orders and holdings over the edge of a broker: the port, the paper broker, and KIS."""
