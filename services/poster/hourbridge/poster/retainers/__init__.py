"""Retainers in the poster: one sub-ledger per client and engagement, moved by entries.

``booking`` makes movements, ``keeper`` decides what is due by itself, ``payments`` carries out what
sources state, ``commands`` what people ask for, ``report`` is what they are shown.
"""
