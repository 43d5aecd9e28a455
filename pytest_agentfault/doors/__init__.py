"""Where a client is let in: one door per file."""
