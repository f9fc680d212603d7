"""One thing that a person can ask for, made of the rooms below."""
