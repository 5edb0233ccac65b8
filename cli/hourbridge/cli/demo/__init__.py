"""The demonstration: a sample firm's quarter through the whole platform."""
