"""The bus: topology, publishing with confirms, batch consuming, retries, dead letters."""
