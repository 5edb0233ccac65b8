"""What an integration owes its auditors, written from a book's configuration."""
