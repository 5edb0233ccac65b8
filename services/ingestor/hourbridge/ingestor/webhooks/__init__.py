"""What systems push: kept as it came, verified, and then taken like any other intake."""
