"""The ingestor: takes in what sources state, decides what is new, and says so in order."""
