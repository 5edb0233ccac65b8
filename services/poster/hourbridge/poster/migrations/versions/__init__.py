"""Migration history of the schema `poster`."""
