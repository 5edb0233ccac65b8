"""Messages: CloudEvents envelope, payload models, and the registry of every type and version."""
