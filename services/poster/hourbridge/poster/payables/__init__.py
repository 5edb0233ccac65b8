"""What we owe: vendor bills and credits, hold-backs, and what waits for a person before them."""
