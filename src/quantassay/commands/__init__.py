"""One file, one command: its options, its job, its words."""
