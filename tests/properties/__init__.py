"""What must hold whatever comes."""
