"""What Hourbridge costs and what it gains: measured against a floor and a straightforward peer.

Run ``python -m benchmarks --help``. How each number is taken, and what it was: docs/performance.md.
"""
