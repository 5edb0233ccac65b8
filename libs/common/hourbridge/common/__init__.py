"""What every Hourbridge service shares: messages, bus, store, money, calendar, runtime."""
