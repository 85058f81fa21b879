"""The constants of transfer: each is used, and another value has an effect without a new module."""

from __future__ import annotations

import ast
from collections import OrderedDict
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

import mst_core.transfer
from mst_core.transfer.config import TransferConfig
from mst_core.transfer.transfer import get_or_make


def attributes_read() -> set[str]:
    """The names of all attributes that the package reads."""
    names: set[str] = set()
    for path in Path(mst_core.transfer.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                names.add(node.attr)
    return names


def test_the_package_reads_every_constant() -> None:
    assert {field.name for field in fields(TransferConfig)} <= attributes_read()


def test_constants_cannot_be_changed_in_place() -> None:
    with pytest.raises(FrozenInstanceError):
        TransferConfig().coverage = 1.0  # type: ignore[misc]


def test_the_cache_drops_the_item_used_least_recently() -> None:
    cache: OrderedDict[Hashable, int] = OrderedDict()
    made: list[str] = []

    def get(key: str) -> int:
        def make() -> int:
            made.append(key)
            return len(made)

        return get_or_make(cache, key, make, max_items=2)

    found = [get(key) for key in "abacab"]
    assert found == [1, 2, 1, 3, 1, 4]
    assert made == ["a", "b", "c", "b"]  # "c" displaced "b", which then displaced "c"


def test_the_cache_serves_two_lanes_at_once() -> None:
    cache: OrderedDict[Hashable, int] = OrderedDict()

    def get(number: int) -> int:
        return get_or_make(cache, number % 5, lambda: number % 5 * 10, max_items=2)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(get, range(2_000)))
    assert found == [number % 5 * 10 for number in range(2_000)]
    assert len(cache) <= 2
