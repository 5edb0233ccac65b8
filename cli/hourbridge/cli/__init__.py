"""The `hourbridge` command line: runs services, and speaks to their admin HTTP."""
