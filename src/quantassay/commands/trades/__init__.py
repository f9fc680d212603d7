"""What `assay trade` does, a file a command."""
