"""BigTime as a source: IQ API v2, read by feeds; its lists and invoices' state can be written.

What it relies on is in docs/bigtime.md. Nothing here trusts an answer to be JSON, a name to be
in its usual case, a number not to be text, an id to be small, or a filter to have been obeyed.
"""
