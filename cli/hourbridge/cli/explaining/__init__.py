"""The way from a source's entry to the cent on a document, composed from all services."""
