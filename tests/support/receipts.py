"""A receipt of eight bars in D major, which tests change where they need to."""

from __future__ import annotations

from msgspec import structs

from mst_core.jobs import Receipt

PLAIN_RECEIPT = Receipt(
    pitch="",
    rhythm="",
    seed=1,
    key="D major",
    meter="4/4",
    tempo=110.0,
    bars=8,
    notes=64,
    form="",
    seconds=34.9,
    version="0",
)


def example_receipt(**changes: object) -> Receipt:
    """Return the plain receipt with other values in the given fields."""
    return structs.replace(PLAIN_RECEIPT, **changes)
