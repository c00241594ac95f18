"""Reads YAML without anchors, for headers that a stranger wrote; apart, because YAML takes 10 ms to load."""

from __future__ import annotations

from typing import Any

import yaml


def plain_yaml(text: str) -> Any:
    """Return what a document holds.

    Raises:
        ValueError: it is no YAML, unfolds into too deep a tree, or has anchors: a few of them in a row unfold into more
            than any memory holds.
    """
    try:
        return yaml.load(text, Loader=_PlainLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error).splitlines()[0]) from None


class _PlainLoader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)
