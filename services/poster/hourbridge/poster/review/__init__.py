"""A person's gate: drafts are selected, released or rejected; a run is undone as a whole."""
