"""Which names of parts are those of a tune, of another voice, or of an accompaniment."""

from __future__ import annotations

import pytest

from mst_core.reading.part_names import PartRole, find_role


@pytest.mark.parametrize(
    "name",
    [
        "Melody", "MELODY", "Vocals", "Lead Vocals", "LeadVocal", "main vocal", "Vocal Tutor",
        "Guitar-Melody", "Lead Voca", "Voice", "1. Stimme", "Gesang", "Singstimme", "Canto", "Voz",
        "Chant", "メロディ", "主旋律", "Мелодия", "旋律", "String Melody",
    ],
)  # fmt: skip
def test_words_of_a_tune_name_it_in_any_language(name: str) -> None:
    assert find_role(name) is PartRole.TUNE


@pytest.mark.parametrize(
    "name", ["Lead Guitar", "lead", "Solo Instrument", "Right Hand", "R.H.", "Soprano", "Treble"]
)
def test_leading_instruments_are_leads(name: str) -> None:
    assert find_role(name) is PartRole.LEAD


@pytest.mark.parametrize(
    "name",
    [
        "Backing Vocals", "BACKING VOCALS", "back vocal 1", "Vocals (harmony)", "Bg Vocals 2",
        "Chor / Background Voice", "Voice 2", "2. Stimme", "Lead Gtr 2", "Violin II", "echo lead",
        "Choir", "コーラス", "Descant", "melody, grace notes", "Piano, below the melody",
    ],
)  # fmt: skip
def test_a_word_beside_the_voice_makes_it_a_second_one(name: str) -> None:
    assert find_role(name) is PartRole.SECOND


@pytest.mark.parametrize(
    "name",
    [
        "Solo Bass", "Lead Synth Pad", "Melody Rhythm", "Bass", "Strumming", "Piano Chords",
        "Left Hand", "L.H.", "Lead & Bass", "伴奏", "Drums", "Begleitung",
    ],
)  # fmt: skip
def test_words_of_an_accompaniment_count_more_than_those_of_a_lead(name: str) -> None:
    assert find_role(name) is PartRole.ACCOMPANIMENT


@pytest.mark.parametrize(
    "name",
    [
        "", "Instrument 1", "Bassoon", "Perfect", "Rising", "Missing", "Tenor Sax", "Alto Sax",
        "Soprano Saxophone", "VOICE OOHS", "Saw Lead", "Synth Voice", "Track 2", "Air on the G",
        "Padre", "Leader board", "Alto", "Tenor",
    ],
)  # fmt: skip
def test_parts_of_words_and_names_of_sounds_say_nothing(name: str) -> None:
    assert find_role(name) is PartRole.UNKNOWN
