"""QuickBooks Online behind the Ledger protocol."""
