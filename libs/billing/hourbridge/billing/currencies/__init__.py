"""Currencies: which rate holds, what it makes of amounts, and what its changes cost or earn."""
