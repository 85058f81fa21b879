"""What a command prints about a result."""

from __future__ import annotations

import json

import pytest
from msgspec import structs

from mst_core.cli.output import describe_receipt, measured_facts, print_json, progress_bar
from tests.support.receipts import example_receipt

RECEIPT = example_receipt(
    pitch="jazz",
    rhythm_strength=0.5,
    rhythm_changed=0.4,
    pitch_strength=1.0,
    pitch_changed=0.3,
)


def test_different_strengths_are_printed_for_each_side() -> None:
    assert describe_receipt(RECEIPT) == (
        "jazz melody, strength 1.00, the other tune's rhythm, strength 0.50: 8 bars of 4/4 in "
        "D major, 64 notes (40 % of the notes changed, 30 % of the pitches changed), 35 s, seed 1"
    )


def test_a_new_tune_is_described_by_its_styles_and_its_form() -> None:
    new = structs.replace(RECEIPT, rhythm_strength=None, pitch_strength=None, form="AABB")
    styles = [("folk", "folk"), ("jazz", "folk")]
    described = [
        describe_receipt(structs.replace(new, pitch=pitch, rhythm=rhythm)).partition(":")[0]
        for pitch, rhythm in styles
    ]
    assert described == ["folk", "jazz melody in folk rhythm"]
    assert "in D major (AABB), 64 notes, 35 s, seed 1" in describe_receipt(new)


def test_a_mashup_is_described_without_a_seed() -> None:
    mashup = structs.replace(RECEIPT, pitch="", rhythm_strength=None, pitch_strength=None)
    assert describe_receipt(mashup) == "mashup: 8 bars of 4/4 in D major, 64 notes, 35 s"


def test_what_was_not_measured_is_not_printed() -> None:
    assert measured_facts(RECEIPT) == []
    assert measured_facts(structs.replace(RECEIPT, repeats=(0, 0))) == []
    assert measured_facts(structs.replace(RECEIPT, longest_shared_run=7)) == [
        "Longest run shared with the other tune: 7 notes."
    ]
    with_style = structs.replace(RECEIPT, rhythm="folk", longest_shared_run=7)
    assert measured_facts(with_style) == ["Longest run shared with a tune of the style: 7 notes."]


def test_json_is_one_line_in_utf_8(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    print_json({"title": "Brose & Büüt", "file": "\udcff.mid"})
    line = capfdbinary.readouterr().out
    assert line == '{"title": "Brose & Büüt", "file": "'.encode() + b'\\udcff.mid"}\n'
    assert json.loads(line)["title"] == "Brose & Büüt"


def test_no_progress_is_printed_into_a_file(capfd: pytest.CaptureFixture[str]) -> None:
    with progress_bar("1 of 2: ") as show:
        show("composing", 0.5)
        show("drawing", 1.0)
    assert capfd.readouterr() == ("", "")
