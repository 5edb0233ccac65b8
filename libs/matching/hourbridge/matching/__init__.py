"""Lists of trackers and ledgers side by side: what belongs together, and what to do about it."""
