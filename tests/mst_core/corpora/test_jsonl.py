"""Lines of a corpus: what is no tune is rejected by name."""

from __future__ import annotations

import pytest

from mst_core.corpora.jsonl import CorpusLine, check_line
from mst_core.errors import UnreadableScore

LINE: CorpusLine = {
    "id": "a tune",
    "title": "A tune",
    "source": "ours",
    "meter": "2/4",
    "key": "C major",
    "pickup": "0",
    "notes": [[60, "0", "1"], [62, "1", "1"], [64, "2", "2"]],
    "bars": 2,
    "bar_starts": ["0", "2"],
}


def test_a_line_that_is_a_tune_is_parsed() -> None:
    assert len(check_line(LINE, min_notes=3).events) == 3


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"meter": "waltz"}, "it is in waltz"),
        ({"meter": "0/4"}, "it is in 0/4"),
        ({"notes": LINE["notes"][:2]}, "it has 2 notes"),
        ({"bar_starts": ["0", "0"]}, "it has a bar without an end"),
    ],
)
def test_a_line_that_is_no_tune_is_rejected_by_name(changes: CorpusLine, reason: str) -> None:
    with pytest.raises(UnreadableScore) as raised:
        check_line(LINE | changes, min_notes=3)
    assert raised.value.arguments[0] == reason
