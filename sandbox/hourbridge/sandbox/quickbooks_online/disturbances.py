"""Faults on demand; they are the same for all stand-ins."""

from hourbridge.sandbox.common.disturbances import Disturbances, Fault, Setting

__all__ = ["Disturbances", "Fault", "Setting"]
