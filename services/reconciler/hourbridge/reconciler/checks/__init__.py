"""Checks between two neighbouring levels of the flow; each yields findings with causes."""
