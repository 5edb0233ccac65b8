"""Connectors: one package per outside system, behind the Source and Ledger protocols."""
