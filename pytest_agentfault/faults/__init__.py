"""The faults: one per file, and the file is the registration."""
