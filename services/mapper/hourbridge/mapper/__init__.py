"""The mapper: turns accepted records into charges by the book's versioned configuration."""
