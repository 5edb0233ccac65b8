"""The poster: charges in, documents assembled, posted once, and corrected."""
