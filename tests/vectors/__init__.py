"""Numbers that others published, and that our rules must meet."""
