"""Acceptance scenarios, through the real services, bus, database and ledger stand-in."""
