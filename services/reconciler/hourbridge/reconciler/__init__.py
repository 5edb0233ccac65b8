"""The reconciler: checks from the outside that what was worked is what was billed and booked."""
