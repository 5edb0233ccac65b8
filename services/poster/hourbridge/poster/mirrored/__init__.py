"""Documents that mirror what happened: worked time, and purchases that were paid at once.

They are put right where they stand in the ledger and deleted when what they say did not happen;
what somebody changed in the ledger meanwhile is never overwritten without a person's word.
"""
