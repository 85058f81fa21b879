"""ABC with several voices: which is the tune, and what becomes of the others."""

from __future__ import annotations

import pytest

from mst_core.errors import BadOption
from mst_core.reading.abc.read import read_abc_score

HEAD = "X:1\nT:Probe\nM:4/4\nL:1/4\nQ:1/4=100\n"
TUNE = "cdef|gfed|cegc'|b2g2|"
BASS = "C,2G,2|G,2D,2|C,2E,2|G,4|"


def test_the_voice_on_top_is_the_tune_though_it_comes_second() -> None:
    score = read_abc_score(
        f'{HEAD}V:B name="Bass" clef=bass\nV:M name="Melody"\nK:C\nV:B\n{BASS}\nV:M\n{TUNE}\n'
    )
    assert score.track == 2
    assert score.melody.pitches[:4] == (72, 74, 76, 77)
    assert [(each.number, each.name) for each in score.candidates] == [(2, "Melody"), (1, "Bass")]
    assert score.warnings[0].startswith("Voice 2 of 2 (Melody) was taken as the melody")


def test_a_voice_can_be_chosen() -> None:
    text = f"{HEAD}K:C\nV:1\n{TUNE}\nV:2\n{BASS}\n"
    score = read_abc_score(text, track=2)
    assert score.melody.pitches[:2] == (48, 55)
    assert score.track == 2
    with pytest.raises(BadOption, match="voices 1 to 2"):
        read_abc_score(text, track=3)


def test_the_other_voices_are_parts_with_all_notes_of_their_chords() -> None:
    text = (
        f'{HEAD}K:C\nV:1\n{TUNE}\nV:2 nm="Piano"\n%%MIDI program 4\n[C,E,G,]4-|[C,E,G,]4|z4|G,,4|\n'
    )
    (part,) = read_abc_score(text).parts
    assert (part.name, part.program, part.drums) == ("Piano", 4, False)
    assert [(float(note.onset), float(note.duration), note.pitch) for note in part.notes] == [
        (0, 8, 48), (0, 8, 52), (0, 8, 55), (12, 4, 43),
    ]  # fmt: skip


def test_parts_stand_in_the_bars_of_the_melody_after_a_pickup_and_in_both_endings() -> None:
    score = read_abc_score(
        f"{HEAD}K:C\nV:1\ng|:cdef|gf[1 ed:|2 e2|]\nV:2\nz|:C,4|C,2[1 D,2:|2 E,2|]\n"
    )
    assert [(float(note.onset), note.pitch) for note in score.parts[0].notes] == [
        (0, 48), (4, 48), (6, 50), (8, 48), (10, 52),
    ]  # fmt: skip


def test_a_tune_that_goes_on_in_another_voice_is_followed() -> None:
    high, low = "cdef|gfed|cdef|gfed|", "cedc|dBGB|cedc|dBGc|"
    score = read_abc_score(f"{HEAD}K:C\nV:1\n{high}z4|z4|z4|z4|\nV:2\nZ4|{low}\n")
    assert len(score.melody.notes) == 32
    assert score.melody.bar_count == 8
    assert any("goes on in voice" in text for text in score.warnings)


def test_percussion_is_never_the_tune() -> None:
    score = read_abc_score(f"{HEAD}V:1 clef=perc\nV:2\nK:C\n[V:1]{TUNE}\n[V:2]{BASS}\n")
    assert score.track == 2
    assert score.parts[0].drums
