"""Sources of exchange rates, behind ``hourbridge.common.exchange_rates.RateProvider``."""
