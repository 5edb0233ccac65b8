"""The project's own lint rules: what a general linter cannot know about this code.

A finding is silenced on its line by ``# lint: allow HB104 -- why``; the reason is required.
"""
