"""Readers: one a kind of manifest, and `read_table`, which tells by name and content which one is wanted."""

from .detect import read_table
from .table import Table

__all__ = ["Table", "read_table"]
