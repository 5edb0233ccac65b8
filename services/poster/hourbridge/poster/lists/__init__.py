"""Changes of lists in ledgers and trackers, and posting states for trackers: rows and lanes."""
