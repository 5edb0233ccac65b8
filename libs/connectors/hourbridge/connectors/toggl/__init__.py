"""Toggl Track: signed webhooks, and reading what they may have missed."""
