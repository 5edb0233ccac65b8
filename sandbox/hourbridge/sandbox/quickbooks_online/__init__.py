"""A stand-in for the QuickBooks Online Accounting API: books, rules, tokens and faults."""

from hourbridge.sandbox.quickbooks_online.seed import CompanySeed, seed_company
from hourbridge.sandbox.quickbooks_online.server import SandboxServer
from hourbridge.sandbox.quickbooks_online.settings import SandboxSettings

__all__ = ["CompanySeed", "SandboxServer", "SandboxSettings", "seed_company"]
