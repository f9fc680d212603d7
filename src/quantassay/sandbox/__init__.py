"""A practice KIS server on loopback, with its quirks and with faults on demand."""
