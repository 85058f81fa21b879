"""The values between a front end and an engine."""

from __future__ import annotations

import msgspec

from mst_core.jobs import Receipt
from tests.support.receipts import example_receipt


def test_the_json_keys_of_a_receipt_are_those_of_version_0_1_0_and_later_ones_after_them() -> None:
    keys = (
        "pitch rhythm seed key meter tempo bars notes form seconds version source strength changed "
        "closeness pitch_strength repitched pitch_closeness repeats closer_than longest_copy "
        "usual_copy remarks"
    )
    receipt = example_receipt(rhythm="jazz", rhythm_similarity=0.75, rank_among=(4, 5))
    later = "track candidates tune tunes pages"
    assert [*msgspec.to_builtins(receipt)] == [*keys.split(), *later.split()]
    row = msgspec.json.encode(receipt)
    assert b'"closeness":0.75' in row
    assert b'"closer_than":[4,5]' in row
    assert msgspec.json.decode(row, type=Receipt) == receipt
