"""What `assay calibration` does, a file a command."""
