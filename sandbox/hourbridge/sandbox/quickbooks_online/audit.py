"""The log of every request and its effect; it is the same for all stand-ins."""

from hourbridge.sandbox.common.audit import AuditLog, Exchange

__all__ = ["AuditLog", "Exchange"]
