"""QuantAssay turns a quant desk's rules into evidence."""

__version__ = "0.1.0"
