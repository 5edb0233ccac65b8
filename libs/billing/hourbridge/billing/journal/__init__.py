"""Double entry: what every posted document means for the accounts, and its plain-text exports."""
