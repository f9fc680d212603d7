"""What a person answered for, and whether it still stands."""
