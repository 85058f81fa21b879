"""Any bytes give a score or one plain sentence, and nothing else."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mst_core.errors import MstError, TooLong, UnreadableScore
from mst_core.music import Melody
from mst_core.notation.midi import write_midi
from mst_core.reading.midi.parts import read_midi_parts
from mst_core.reading.midi.read import read_midi
from mst_core.reading.parsed_score import Limits, ParsedScore
from tests.support.melodies import JIG, REEL, melodies, melody
from tests.support.midi_files import END, SIMPLE, bars_of, midi, notes, raw, track
from tests.tools.hostile.midi import number

FILE = midi(
    track(bars_of(JIG), name="A Jig"),
    track(notes(melody("C5 D5 E5").notes), name="Flute"),
    track(notes(melody("C3 G3 C3").notes, channel=9), name="Kit"),
)
LONG = b"\xff\xff\xff\x7f"  # the largest delta time: 268,435,455 ticks


def read_or_reject(data: bytes) -> ParsedScore | None:
    """Read a file; if it is rejected, check that the sentence is one printable line."""
    try:
        return read_midi(data)
    except MstError as rejection:
        sentence = str(rejection)
    assert sentence.isprintable()
    return None


def test_every_beginning_of_a_file_is_read_or_rejected() -> None:
    read = [read_or_reject(FILE[:length]) is not None for length in range(len(FILE) + 1)]
    first = read.index(True)
    assert first < len(FILE) * 2 / 3
    assert all(read[first:])


def test_any_changed_bytes_are_read_or_rejected() -> None:
    rng = random.Random(11)
    for _ in range(2_000):
        changed = bytearray(FILE)
        for _ in range(rng.randint(1, 5)):
            changed[rng.randrange(14, len(changed))] = rng.randrange(256)
        read_or_reject(bytes(changed))


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200), st.integers(1, 32767))
def test_any_track_is_read_or_rejected(content: bytes, division: int) -> None:
    read_or_reject(raw(content, division=division))


@settings(deadline=None, max_examples=30)
@given(melodies(most_bars=2), st.binary(max_size=40), st.integers(0, 400))
def test_anything_inside_a_file_is_read_or_rejected(tune: Melody, junk: bytes, place: int) -> None:
    data = write_midi(tune, program=0)
    read_or_reject(data[:place] + junk + data[place:])


@pytest.mark.parametrize(("data", "sentence"), [
    (b"", "this is not a MIDI file: it does not begin with MThd; "
          "a MIDI file of format 0, 1 or 2 would be read"),
    (b"RIFF....RMID", "this is not a MIDI file: it does not begin with MThd; "
                      "a MIDI file of format 0, 1 or 2 would be read"),
    (raw(SIMPLE)[:13], "the MIDI file breaks off in its header; send the whole file, or write it "
                       "again with another program"),
    (raw(SIMPLE, division=0), "the MIDI file has 0 ticks a quarter; any other number is read"),
    (raw(), "the MIDI file holds no track; send the whole file, or write it again with another "
            "program"),
    (raw(SIMPLE)[:25], "the MIDI file breaks off in track 1; send the whole file, or write it "
                       "again with another program"),
])  # fmt: skip
def test_a_file_that_cannot_be_read_is_rejected_with_what_is_wrong(
    data: bytes, sentence: str
) -> None:
    with pytest.raises(UnreadableScore) as rejection:
        read_midi(data)
    assert str(rejection.value) == sentence


TUNE = (60, 64)
"""The pitches of SIMPLE."""


def remarks(data: bytes) -> tuple[str, ...]:
    """The remarks about the bytes of a file in which the notes of SIMPLE must be found."""
    score = read_midi(data)
    assert score.melody.pitches == TUNE
    assert [note.duration for note in score.melody.notes] == [1, 1]
    return score.warnings


@pytest.mark.parametrize("message", [
    b"\0\xb0\x07\xc8", b"\0\xc0\xff", b"\0\xe0\x90\x40", b"\0\xd0\xf0", b"\0\xa0\x3c\x80",
    b"\0\x93\x3c\xff\0\x83\x3c\0",
])  # fmt: skip
def test_a_value_above_127_is_read_as_127(message: bytes) -> None:
    found = read_midi(raw(message + SIMPLE))
    assert {60, 64} <= {note.pitch for note in found.melody.notes}
    assert "One damaged value of the file was read as the highest, 127." in found.warnings


def test_a_velocity_above_127_is_the_loudest() -> None:
    parts = read_midi_parts(raw(SIMPLE.replace(b"\x50", b"\x87")), Limits()).parts
    assert [note.velocity for note in parts[0].notes] == [127, 127]


def test_a_note_above_the_highest_pitch_is_left_out_alone() -> None:
    found = remarks(raw(SIMPLE[:8] + b"\0\x90\xbc\x50\0\x80\xbc\x00" + SIMPLE[8:]))
    assert "One note above the highest pitch of MIDI was left out." in found


@pytest.mark.parametrize("stray", [
    b"\xf1\x7f", b"\xf2\x01\x02", b"\xf3\x05", *(bytes([status]) for status in range(0xF4, 0xF7)),
    *(bytes([status]) for status in range(0xF8, 0xFF)),
])  # fmt: skip
def test_bytes_of_a_cable_are_skipped(stray: bytes) -> None:
    found = remarks(raw(b"\0" + stray + SIMPLE[:8] + b"\0" + stray + SIMPLE[8:]))
    assert "2 stray bytes between messages were skipped." in found


def test_data_before_the_first_status_is_skipped() -> None:
    assert "2 stray bytes between messages were skipped." in remarks(
        raw(b"\0\x3c\x50" + SIMPLE[1:])
    )


def test_a_system_message_without_an_end_is_skipped() -> None:
    found = remarks(raw(b"\0\xf0\x7e\x7f\x09\x01\xf7" + SIMPLE))
    assert "One system message without an end was skipped." in found


def test_a_meta_event_of_an_unknown_kind_without_content_is_skipped() -> None:
    assert remarks(raw(b"\0\xff\x60\0" + SIMPLE)) == remarks(raw(SIMPLE))


@pytest.mark.parametrize(("content", "notes"), [
    (b"\0\xff\x01\x7f", 0),
    (b"\0\xf0\x85\x00", 0),
    (b"\xff\xff\xff\xff\x7f\x90\x3c\x50", 0),
    (b"\0\x90\x30\x50\x60\x80\x30\x00\0\x90\x31", 1),
    (b"\0\x90\x30\x50\x60\x80\x30\x00\0\x90\x31\x50\x60\x80", 2),
])  # fmt: skip
def test_of_a_track_that_breaks_off_the_notes_before_are_kept(content: bytes, notes: int) -> None:
    score = read_midi(raw(SIMPLE, content, form=1), track=1)
    assert score.melody.pitches == TUNE
    assert sum(len(part.notes) for part in score.parts) == notes
    kept = {
        0: "before its first note", 1: "; the one note before that was kept",
        2: "; the 2 notes before that were kept",
    }  # fmt: skip
    gap = "" if notes else " "
    assert f"Track 2 breaks off in the file{gap}{kept[notes]}." in score.warnings


@pytest.mark.parametrize(("content", "what"), [
    (b"\0\xff\x58\4\0\2\x18\x08", "meter"),
    (b"\0\xff\x58\4\4\xff\x18\x08", "meter"),
    (b"\0\xff\x58\4\x21\2\x18\x08", "meter"),
    (b"\0\xff\x58\0", "meter"),
    (b"\0\xff\x51\3\0\0\0", "tempo"),
    (b"\0\xff\x51\3\0\0\1", "tempo"),
    (b"\0\xff\x51\3\xff\xff\xff", "tempo"),
    (b"\0\xff\x51\2\x07\xa1", "tempo"),
])  # fmt: skip
def test_an_impossible_meter_or_tempo_is_ignored(content: bytes, what: str) -> None:
    score = read_midi(raw(content + SIMPLE))
    assert (str(score.melody.meter), score.melody.tempo) == ("4/4", 120)
    assert f"An impossible {what} was ignored." in score.warnings


def test_one_impossible_meter_does_not_hide_the_others() -> None:
    three = b"\0\xff\x58\4\3\2\x18\x08"
    score = read_midi(raw(three + SIMPLE + b"\0\xff\x58\4\0\2\x18\x08"))
    assert str(score.melody.meter) == "3/4"
    assert "An impossible meter was ignored." in score.warnings


@pytest.mark.parametrize(("data", "quantity"), [
    (raw(*[SIMPLE] * 129), "129 tracks"),
    (raw(*[SIMPLE] * 129, announced=60_000), "60000 tracks"),
    (raw(b"\0\x90\x3c\x50" + LONG + b"\x80\x3c\0" + SIMPLE), "1398102 seconds"),
    (raw(SIMPLE + LONG + b"\x90\x3c\x50" + SIMPLE), "1398103 seconds"),
    (raw(b"\0\xff\x51\3\0\xea\x60\0\x90\x3c\x50" + number(1_500_000) + b"\x80\x3c\0" + SIMPLE),
     "3906 bars"),
])  # fmt: skip
def test_a_file_that_lasts_for_days_is_rejected(data: bytes, quantity: str) -> None:
    with pytest.raises(TooLong, match=f"too long: {quantity}"):
        read_midi(data)


@pytest.mark.parametrize(("limits", "sentence"), [
    (Limits(file_bytes=100), "too long: {size} bytes, where at most 100 bytes are accepted"),
    (Limits(tracks=0), "too long: 1 tracks, where at most 0 tracks are accepted"),
    (Limits(events=50), "too long: more than 50 messages, where at most 50 messages are accepted"),
    (Limits(notes=99), "too long: 117 notes, where at most 99 notes are accepted"),
    (Limits(melody_notes=99), "too long: a melody of 117 notes, where at most 99 notes are "
                              "accepted"),
    (Limits(bars=9), "too long: 16 bars, where at most 9 bars are accepted"),
    (Limits(seconds=9), "too long: 19 seconds, where at most 9 seconds are accepted"),
])  # fmt: skip
def test_each_limit_is_enforced_and_named(limits: Limits, sentence: str) -> None:
    data = write_midi(REEL, program=0)
    with pytest.raises(TooLong) as rejection:
        read_midi(data, limits=limits)
    assert str(rejection.value) == sentence.format(size=len(data))


def test_a_long_silence_before_the_first_note_is_left_out() -> None:
    late = read_midi(raw(LONG + b"\x90\x3c\x50" + SIMPLE[4:] + END))
    assert late.melody.pitches == (60, 64)


def test_messages_without_notes_are_skipped() -> None:
    controls = b"\0\xb0\x07\x64\0\x40\x7f\0\xe0\0\x40\0\xd0\x40\0\xa0\x3c\x40"
    exclusive = b"\0\xf0\x03\x43\x12\xf7\0\xf7\x01\xf8\0\xff\x7f\x02\x01\x02\0\xff\x20\x01\x00"
    file = raw(controls + exclusive + SIMPLE + END + b"\0\0\0\0")
    assert read_midi(file).melody.pitches == (60, 64)


def test_an_impossible_key_signature_is_ignored() -> None:
    nonsense = raw(b"\0\xff\x59\2\x50\x07" + SIMPLE)
    assert replace(read_midi(nonsense), title="") == read_midi(raw(SIMPLE))
