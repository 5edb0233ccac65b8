"""PostgreSQL store: one schema, role and migration history per service; one place that commits."""
