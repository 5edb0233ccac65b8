"""Retainers: money that a client pays before the work. Pure: no clock, no storage.

``lots`` says what is left of it, ``planning`` what it pays for, ``postings`` what that does to the
accounts, ``statements`` what a month's log says. docs/retainers.md has the rules in words.
"""
