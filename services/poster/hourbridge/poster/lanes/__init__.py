"""One lane per ledger: the only part that calls an accounting system."""
