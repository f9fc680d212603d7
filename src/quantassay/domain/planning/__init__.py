"""What to order at the next open, how much of it, at what price and cost."""
