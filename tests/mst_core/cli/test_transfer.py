"""``mst transfer FILE``, ``mst mashup`` and variants with a fake composer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mst_core.__main__ import main
from mst_core.generation.composition import Composition, SideResult
from mst_core.reading.parsed_score import ParsedScore
from mst_core.requests import Mashup, Side, Transfer
from mst_core.studio import Studio
from tests.mst_core.cli.test_rerhythm import JIG, REEL
from tests.support.fake_composer import FakeComposer


class RecordingComposer(FakeComposer):
    """Records the requests; its seeds give as many different tunes as it has ideas."""

    def __init__(self, ideas: int) -> None:
        super().__init__(Path())
        self.ideas = ideas
        self.asked: list[Transfer] = []
        self.joined: list[tuple[str, str]] = []

    def transfer(
        self,
        request: Transfer,
        scores: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None],
    ) -> Composition:
        self.asked.append(request)
        melody = scores[request.source].melody
        shorter = Fraction(request.seed % self.ideas, 24) if any(request.strengths.values()) else 0
        last = melody.notes[-1]
        notes = (*melody.notes[:-1], replace(last, duration=last.duration - shorter))
        return Composition(
            replace(melody, notes=notes),
            form="",
            swing=0.5,
            program=78,
            original=melody,
            rhythm=SideResult(0.4, rank_among=(41, 50), longest_shared_run=7, p95_shared_run=9),
            pitch=SideResult(0.25),
            repeats=(12, 12),
        )

    def mashup(
        self,
        request: Mashup,
        scores: Mapping[str, ParsedScore],
        on_progress: Callable[[float], None],
    ) -> Composition:
        self.joined.append((scores[request.source].title, scores[request.like].title))
        return super().mashup(request, scores, on_progress)


@pytest.fixture
def composer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordingComposer:
    """A working folder with two tunes, and the composer of the studio."""
    composer = RecordingComposer(ideas=5)
    monkeypatch.setattr(Studio, "open", lambda *_: Studio(composer, open_synth=NotImplemented))
    monkeypatch.delenv("MST_MODELS_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reel.abc").write_text(REEL)
    (tmp_path / "jig.abc").write_text(JIG)
    return composer


def mst(typed: str) -> Result:
    return CliRunner().invoke(main, typed.split())


def objects(call: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in call.stdout.splitlines()]


def test_one_side_or_both_of_a_tune_are_changed_as_far_as_asked(
    composer: RecordingComposer,
) -> None:
    for typed in (
        "--pitch Jazz --strength 0.5",
        "--pitch jazz --pitch-strength 0.5",
        "--rhythm folk --pitch jazz --strength 0.5",
        "--rhythm folk --pitch jazz --pitch-strength 0.25",
        "--like jig.abc --pitch-like jig.abc",
    ):
        call = mst(f"transfer reel.abc {typed} --meter 4/4 --keep-bars 1 --seed 3")
        assert (call.exit_code, call.stdout[:4]) == (0, "X:1\n")
    half_jazz = Side(style="jazz", strength=0.5)
    assert [(request.pitch, request.rhythm) for request in composer.asked] == [
        (half_jazz, None),
        (half_jazz, None),
        (half_jazz, Side(style="folk", strength=0.5)),
        (Side(style="jazz", strength=0.25), Side(style="folk")),
        (Side(like="pitch_like"), Side(like="like")),
    ]
    assert {(each.meter, each.keep_bars, each.seed) for each in composer.asked} == {("4/4", "1", 3)}


def test_two_lists_of_strengths_give_every_pair_of_them(composer: RecordingComposer) -> None:
    call = mst(
        "transfer reel.abc jig.abc --rhythm folk --pitch jazz --strength 0.5,1 "
        "--pitch-strength 0,1 --out-dir new --formats abc --json"
    )
    assert [each["files"] for each in objects(call)] == [
        [f"new/{stem}.{strength}.p{pitch}.abc"]
        for stem in ("reel", "jig")
        for strength in ("0.50", "1.00")
        for pitch in ("0.00", "1.00")
    ]
    reported = objects(call)[0]
    assert (reported["strength"], reported["pitch_strength"], reported["repitched"]) == (
        0.5,
        0,
        0.25,
    )
    assert reported["closer_than"] == [41, 50]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("reel.abc --rhythm folk --pitch-strength 0.5", "name where the pitches come from"),
        ("reel.abc --pitch folk --pitch-strength 1 --strength 0", "only the pitches change"),
        ("reel.abc --pitch folk --pitch-like jig.abc", "pitch and like cannot be 'both'"),
        ("reel.abc --pitch folk --pitch-strength 2", "choose 0 (no change) to 1"),
        (
            "reel.abc --pitch folk --pitch-strength 0,1",
            "to write 2 versions, name a folder with --out-dir DIR",
        ),
        ("reel.abc --pitch folk --compare", "it is about pictures"),
        ("reel.abc --pitch-like gone.abc", "gone.abc: no such file"),
    ],
)
def test_invalid_options_are_refused_before_anything_is_made(
    composer: RecordingComposer, typed: str, words: str
) -> None:
    call = mst(f"transfer {typed}")
    assert (call.exit_code, call.stdout, call.stderr.count("\n")) == (2, "", 1)
    assert words in call.stderr
    assert composer.asked == []


def test_variants_are_different_tunes(composer: RecordingComposer) -> None:
    call = mst(
        "rerhythm reel.abc --rhythm jazz --variants 4 --seed 9 --out-dir new --formats abc --json"
    )
    assert [each["seed"] for each in objects(call)] == [9, 10, 11, 12]
    assert len({file.read_text() for file in Path("new").iterdir()}) == 4


def test_seeds_that_give_a_duplicate_are_skipped_and_reported_when_no_other_is_left(
    composer: RecordingComposer,
) -> None:
    composer.ideas = 2
    call = mst(
        "rerhythm reel.abc --rhythm jazz --variants 3 --seed 9 --out-dir new --formats abc --json"
    )
    reported = objects(call)
    assert [each["remarks"] for each in reported[:2]] == [[], []]
    assert "no seed that was tried gave another one" in str(reported[2]["remarks"])
    assert len(list(Path("new").iterdir())) == 3
    assert len(composer.asked) <= 12
    composer.ideas = 1
    composer.asked.clear()
    mst("rerhythm reel.abc --rhythm jazz --strength 0 --variants 3 --out-dir same")
    assert len(composer.asked) == 3, "at strength 0 there is nothing to look for"


def test_a_mashup_takes_the_pitches_of_one_file_and_the_rhythm_of_the_other(
    composer: RecordingComposer,
) -> None:
    call = mst("mashup reel.abc jig.abc -o both.mid -o both.abc --json")
    assert call.exit_code == 0, call.stderr
    assert composer.joined == [("A Reel of Ours", "A Jig of Ours")]
    (reported,) = objects(call)
    assert (reported["source"], reported["files"]) == (
        "A Reel of Ours x A Jig of Ours",
        ["both.mid", "both.abc"],
    )
    assert mst("mashup reel.abc jig.abc").stderr.startswith("reel.abc: mashup: 4 bars of 4/4")
    assert "seed" not in mst("mashup reel.abc jig.abc").stderr


def test_a_comparison_colours_what_changed_and_is_drawn_on_request_alone(
    composer: RecordingComposer,
) -> None:
    orange = "#e69f00"
    mst("rerhythm reel.abc --rhythm jazz --seed 4 --compare -o both.svg -o both.png")
    mst("rerhythm reel.abc --rhythm jazz --seed 4 -o one.svg")
    mst("rerhythm reel.abc --rhythm jazz --strength 0 --compare -o same.svg")
    assert orange in Path("both.svg").read_text()
    assert orange not in Path("one.svg").read_text() + Path("same.svg").read_text()
    assert Path("both.png").read_bytes()[:4] == b"\x89PNG"


def test_the_receipt_is_printed_in_words(composer: RecordingComposer) -> None:
    call = mst("transfer reel.abc --rhythm folk --pitch jazz --seed 5 -o a.abc")
    first, *facts, file = call.stdout.splitlines()
    assert first.startswith(
        "reel.abc: jazz melody in folk rhythm, strength 1.00: 4 bars of 4/4 in D major, 21 notes "
        "(40 % of the notes changed, 25 % of the pitches changed)"
    )
    assert facts == [
        "    Repeated bars kept: 12 of 12.",
        "    More like the target than 41 of 50 other tunes.",
        "    Longest run shared with a tune of the style: "
        "7 notes (95 % of unrelated tunes: up to 9).",
    ]
    assert file == "a.abc"
