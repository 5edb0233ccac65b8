"""Polling: one component for all systems that are read, whatever they are."""
