"""Payments: stated by a source, settled against open documents, posted like any document."""
