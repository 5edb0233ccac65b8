"""Recognition in the poster: entries for revenue that counts when it isn't invoiced.

``deferring`` spreads what was invoiced, ``accruing`` counts what was not, ``recognizer`` says when.
"""
