"""YAML of which only strings, lists and mappings are wanted, within bounds.

The events of a document are counted before anything is built: how deep it nests, and what its
aliases expand to. And no scalar is read as a number, a date or binary, for YAML's own readers raise
or take for ever on some that look like one: what is neither text nor null stays an `Unquoted`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml

MOST_DOCUMENT_CHARACTERS = 16_000_000
MOST_NODES = 1_000_000
DEEPEST = 20


class YamlError(ValueError):
    """The text is no YAML, or is beyond the bounds; one line for a person."""


class Unquoted(NamedTuple):
    """A scalar that YAML takes for something else than text, as it was written."""

    written: str


def load_bounded(text: str) -> Any:
    """The document in strings, lists, dicts, None and `Unquoted`. Raises YamlError.

    >>> load_bounded("{name: votes, keywords: [no, '2024', 9999-99-99]}")["keywords"]
    [Unquoted(written='False'), '2024', Unquoted(written='9999-99-99')]
    """
    if len(text) > MOST_DOCUMENT_CHARACTERS:
        raise YamlError(f"it has more than {MOST_DOCUMENT_CHARACTERS:,} characters")
    try:
        _check_bounds(text)
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise YamlError(" ".join(str(error).split())) from None


def _check_bounds(text: str) -> None:
    anchors: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = [(None, 0)]
    for event in yaml.parse(text, _Loader):
        anchor, size = getattr(event, "anchor", None), 1
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((anchor, 1))
            if len(open_nodes) > DEEPEST:
                raise YamlError(f"it nests deeper than {DEEPEST} levels")
            continue
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, size = open_nodes.pop()
        elif isinstance(event, yaml.AliasEvent):
            if any(event.anchor == above for above, _ in open_nodes):
                raise YamlError(f"the alias *{event.anchor} stands for what it is in")
            anchor, size = None, anchors.get(str(event.anchor), 1)
        elif not isinstance(event, yaml.ScalarEvent):
            continue
        if anchor is not None:
            anchors[anchor] = size
        outer, before = open_nodes[-1]
        if before + size > MOST_NODES:
            raise YamlError(f"with its aliases it has more than {MOST_NODES:,} values")
        open_nodes[-1] = outer, before + size


# libyaml's parser is ten times as fast; PyYAML's wheels have it, a build from source may not.
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Safe):
    """Text, null, lists and mappings, of whatever tag YAML finds in a bare word."""


def _truth(_: Any, node: yaml.Node) -> Unquoted:
    """As the truth value that it is taken for: a bare `no` is a surprise to most."""
    written = _unquoted(_, node).written
    return Unquoted(str(_Safe.bool_values.get(written.lower(), written)))


def _unquoted(_: Any, node: yaml.Node) -> Unquoted:
    return Unquoted(str(node.value)[:80] if isinstance(node, yaml.ScalarNode) else str(node.tag))


_Loader.add_constructor("tag:yaml.org,2002:bool", _truth)
for _tag in ("int", "float", "timestamp", "binary"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _unquoted)
