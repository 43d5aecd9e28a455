"""Where the healthy reply comes from: one upstream per file."""
