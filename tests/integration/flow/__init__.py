"""All services as processes: kills, outages, poison."""
