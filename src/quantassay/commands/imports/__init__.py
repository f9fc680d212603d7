"""The commands below `assay import`."""
