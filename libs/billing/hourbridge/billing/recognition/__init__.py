"""When revenue counts, where that isn't when it is invoiced. Pure: no clock, no storage.

``deferrals``: invoiced at once, earned over months. ``unbilled``: earned when the work is charged,
invoiced later. Both reckon in the book's currency: neither balance is an amount to be paid.
"""
