"""A book configuration as YAML: read so that nothing is guessed and nothing silently dropped."""

from __future__ import annotations

import re
from typing import Any

import yaml

from hourbridge.common.book import BookConfiguration, parse_book_configuration
from hourbridge.common.errors import ConfigurationInvalid

CHARACTERS_MAX = 5_000_000


class _Loader(yaml.SafeLoader):
    """YAML without its surprises: only true, false and null mean more than their text.

    So 0042 keeps its zeros, 150.00 its decimals, NO stays Norway, and dates are read by the
    field that holds them. A key given twice is an error.
    """


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), ["t", "f"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^(?:~|null|)$"), ["~", "n", ""])


def _mapping_without_duplicates(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    result: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str) or key in result:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} is not text or stands here twice", key_node.start_mark
            )
        result[key] = loader.construct_object(value_node, deep=True)
    return result


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping_without_duplicates)


def read_configuration(text: str) -> BookConfiguration:
    """Return the configuration in ``text``.

    Raises ConfigurationInvalid that names the line of a YAML error or every wrong field.
    """
    if len(text) > CHARACTERS_MAX:
        raise ConfigurationInvalid(f"longer than {CHARACTERS_MAX} characters")
    try:
        document = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader, made stricter
    except yaml.YAMLError as error:
        raise ConfigurationInvalid(f"not readable as YAML: {error}") from None
    return parse_book_configuration(document)
