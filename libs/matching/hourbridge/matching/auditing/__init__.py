"""What a bookkeeper should set right before two systems are kept in step."""
