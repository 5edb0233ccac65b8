"""Lists kept in step: what both sides hold, how they belong together, and what to write."""
