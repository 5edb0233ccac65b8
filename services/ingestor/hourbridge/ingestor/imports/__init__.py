"""File import: any table of time, or JSON Lines of records, through declared profiles."""
