"""QuickBooks Online as a source: its lists, its own time and payments, and what others touched."""
