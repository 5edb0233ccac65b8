"""TimeTagger: one person's records, read by what changed since."""
