"""The receipt of a composition."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from mst_core import __version__
from mst_core.generation.composition import Composition, SideResult
from mst_core.music import Repeat, TempoChange
from mst_core.reading.parsed_score import ParsedScore, PartCandidate
from mst_core.report import make_receipt
from mst_core.requests import Compose, Side, Transfer
from tests.support.fake_composer import write_scale

NEW = Compose(pitch="folk", rhythm="jazz", seed=3, bars=4, meter="6/8", key="Em", tempo=180.0)
COMPOSITION = Composition(write_scale(NEW), form="AABB", swing=0.5, program=40)
RHYTHM = SideResult(
    0.123456, similarity=0.98765, rank_among=(41, 50), longest_shared_run=7, p95_shared_run=9
)
PITCH = SideResult(0.25, similarity=0.5, rank_among=(3, 50), longest_shared_run=5)


def test_the_receipt_of_a_new_tune_has_no_figures_of_a_transfer() -> None:
    receipt = make_receipt(NEW, COMPOSITION)
    assert (receipt.pitch, receipt.rhythm, receipt.seed) == ("folk", "jazz", 3)
    assert (receipt.form, receipt.version, receipt.source) == ("AABB", __version__, "")
    assert receipt.rhythm_strength is receipt.pitch_strength is receipt.rhythm_changed is None
    assert (receipt.rank_among, receipt.longest_shared_run) == (None, None)


def test_each_side_has_its_strength_and_its_figures_with_four_decimals() -> None:
    request = Transfer(
        source="a", seed=1, rhythm=Side(style="jazz", strength=0.5), pitch=Side(like="b")
    )
    receipt = make_receipt(request, replace(COMPOSITION, rhythm=RHYTHM, pitch=PITCH), "A reel")
    assert (receipt.rhythm, receipt.pitch, receipt.source) == ("jazz", "", "A reel")
    assert (receipt.rhythm_strength, receipt.pitch_strength) == (0.5, 1.0)
    assert (receipt.rhythm_changed, receipt.rhythm_similarity) == (0.1235, 0.9877)
    assert (receipt.pitch_changed, receipt.pitch_similarity) == (0.25, 0.5)


def test_similarity_to_the_style_is_that_of_the_rhythm_if_it_changed_else_of_the_pitches() -> None:
    request = Transfer(source="a", seed=1, rhythm=Side(style="jazz"), pitch=Side(style="jazz"))
    both = make_receipt(request, replace(COMPOSITION, rhythm=RHYTHM, pitch=PITCH))
    assert (both.rank_among, both.longest_shared_run, both.p95_shared_run) == ((41, 50), 7, 9)
    kept = make_receipt(request, replace(COMPOSITION, rhythm=SideResult(0.0), pitch=PITCH))
    assert (kept.rank_among, kept.longest_shared_run, kept.p95_shared_run) == ((3, 50), 5, None)


def test_the_parts_and_tunes_of_a_file_are_named_so_that_a_person_can_choose_another() -> None:
    request = Transfer(source="a", seed=1, rhythm=Side(style="jazz"))
    parts = tuple(PartCandidate(number, f"Part {number}", 9, -number) for number in range(1, 9))
    book = ParsedScore(
        "Tune 40",
        write_scale(NEW),
        candidates=parts,
        track=1,
        tunes=tuple(f"Tune {number}" for number in range(1, 51)),
        tune=40,
    )
    receipt = make_receipt(request, COMPOSITION, "Tune 40", book)
    assert (receipt.track, receipt.tune) == (1, 40)
    assert receipt.candidates == tuple((number, f"Part {number}") for number in range(1, 6))
    assert [number for number, _ in receipt.tunes] == [*range(26, 51)]
    assert receipt.tunes[14] == (40, "Tune 40")
    alone = make_receipt(request, COMPOSITION, "Tune", ParsedScore("Tune", write_scale(NEW)))
    assert (alone.candidates, alone.tunes) == ((), ())


def test_the_receipt_names_the_range_of_tempos_once() -> None:
    map_of = (TempoChange(Fraction(0), 120.0), TempoChange(Fraction(4), 96.4))
    melody = replace(COMPOSITION.melody, tempo_changes=map_of)
    changing = replace(COMPOSITION, melody=melody, warnings=("The tempo changes, says the file.",))
    receipt = make_receipt(NEW, changing)
    assert receipt.warnings == ("The tempo changes: 96 to 120 quarter notes a minute, mostly 180.",)


def test_the_seconds_of_the_receipt_are_those_of_the_audio() -> None:
    melody = COMPOSITION.melody
    twice = replace(COMPOSITION, melody=replace(melody, repeats=(Repeat(0, melody.bar_count),)))
    once = make_receipt(NEW, twice, repeats=False).seconds
    assert once == make_receipt(NEW, COMPOSITION).seconds
    assert make_receipt(NEW, twice).seconds == pytest.approx(2 * once, abs=0.01)
