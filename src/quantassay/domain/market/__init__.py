"""Sessions, bars, prices and their quality, as values."""
