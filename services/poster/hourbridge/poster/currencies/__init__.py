"""Currencies: rates as they were published, stamped on documents; revaluation; residues."""
