"""Answers as XML, which the service sends to whoever doesn't ask for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

_NAMESPACE = "http://schema.intuit.com/finance/v3"


def xml_of(content: Mapping[str, Any]) -> bytes:
    """Return the document; references show their name and carry their value inside."""
    values = dict(content)
    attributes = {"xmlns": _NAMESPACE, "time": str(values.pop("time", ""))}
    root = ElementTree.Element("IntuitResponse", attributes)
    _fill(root, values)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _fill(element: ElementTree.Element, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, member in value.items():
            for each in member if isinstance(member, list) else [member]:
                _fill(ElementTree.SubElement(element, str(name)), each)
    elif isinstance(value, bool):
        element.text = str(value).lower()
    elif value is not None:
        element.text = str(value)
