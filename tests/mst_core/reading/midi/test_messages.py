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
from mst_core.reading.midi.read import read_midi
from mst_core.reading.parsed_score import Limits, ParsedScore
from tests.support.melodies import JIG, REEL, melodies, melody
from tests.support.midi_files import END, SIMPLE, bars_of, chunk, midi, notes, raw, track

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
    assert read_or_reject(FILE)
    rejected = [read_or_reject(FILE[:length]) is None for length in range(len(FILE))]
    assert sum(rejected) > 0.9 * len(FILE)


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
          "a MIDI file of format 0 or 1 would be read"),
    (b"RIFF....RMID", "this is not a MIDI file: it does not begin with MThd; "
                      "a MIDI file of format 0 or 1 would be read"),
    (raw(SIMPLE, form=7), "the MIDI file is of format 7; "
                          "a MIDI file of format 0 or 1 would be read"),
    (raw(SIMPLE, division=0xE728), "the MIDI file counts film frames (SMPTE), not beats; "
                                   "export it with a tempo, in ticks a quarter"),
    (raw(SIMPLE, division=0), "the MIDI file has 0 ticks a quarter; any other number is read"),
    (raw(), "the MIDI file holds no track; send the whole file, or write it again with another "
            "program"),
    (raw(SIMPLE)[:-1], "the MIDI file breaks off in track 1; send the whole file, or write it "
                       "again with another program"),
    (raw(b"\0\xff\x58\4\0\2\x18\x08" + SIMPLE), "the MIDI file has a meter of 0/2^2; "
     "meters from 1/32 to 32/1 would be read, such as 4/4 or 6/8"),
    (raw(b"\0\xff\x58\4\4\xff\x18\x08" + SIMPLE), "the MIDI file has a meter of 4/2^255; "
     "meters from 1/32 to 32/1 would be read, such as 4/4 or 6/8"),
    (raw(b"\0\xff\x51\3\0\0\0" + SIMPLE), "the MIDI file has a tempo of 0 microseconds a quarter; "
     "three bytes above 0 would be read"),
    (raw(b"\0\xff\x51\3\0\0\1" + SIMPLE), "the MIDI file goes at 6e+07 quarters a minute; "
     "5 to 1000 would be read"),
])  # fmt: skip
def test_a_broken_file_is_rejected_with_what_is_wrong(data: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableScore) as rejection:
        read_midi(data)
    assert str(rejection.value) == sentence


@pytest.mark.parametrize(("content", "what"), [
    (b"\0\x3c\x50", "a message without a status"),
    (b"\0\xf4", "an unknown message F4"),
    (b"\0\x90\x3c\x80", "a value above 127"),
    (b"\0\x90\x3c", "a message that reaches beyond its end"),
    (b"\0\xff\x01\x7f", "a message that reaches beyond its end"),
    (b"\0\xf0\x85\x00", "a message that reaches beyond its end"),
    (b"\xff\xff\xff\xff\x7f\x90\x3c\x50", "a number of more than four bytes"),
])  # fmt: skip
def test_a_broken_message_is_named_with_its_track(content: bytes, what: str) -> None:
    with pytest.raises(UnreadableScore, match=f"track 2 of the MIDI file has {what}"):
        read_midi(raw(SIMPLE, content, form=1))


@pytest.mark.parametrize(("data", "quantity"), [
    (raw(SIMPLE, announced=60_000), "60000 tracks"),
    (raw(b"\0\x90\x3c\x50" + LONG + b"\x80\x3c\0" + SIMPLE), "1398102 seconds"),
    (raw(SIMPLE + LONG + b"\x90\x3c\x50" + SIMPLE), "1398103 seconds"),
    (raw(b"\0\xff\x51\3\0\0\1\0\x90\x3c\x50" + LONG + b"\x80\x3c\0" + SIMPLE), "699051 bars"),
    (raw(b"\0\xff\x51\3\0\0\1" + LONG + b"\xff\x51\3\x07\xa1\x20",
         b"\0\x90\x3c\x50" + LONG + b"\x80\x3c\0", LONG + SIMPLE[1:], form=1), "1398102 seconds"),
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


def test_chunks_of_other_kinds_and_trailing_zeros_are_skipped() -> None:
    plain = raw(SIMPLE + END)
    file = plain[:14] + chunk(b"XFIH", b"anything") + plain[14:] + b"\0" * 100
    assert read_midi(file) == read_midi(plain)


def test_a_longer_header_is_read() -> None:
    plain = raw(SIMPLE)
    file = plain[:4] + b"\0\0\0\x08" + plain[8:14] + b"\0\0" + plain[14:]
    assert read_midi(file) == read_midi(plain)


def test_missing_tracks_give_a_warning() -> None:
    score = read_midi(raw(SIMPLE, form=1, announced=5))
    assert "The file announces 5 tracks and holds 1." in score.warnings


def test_of_several_sequences_the_first_is_read() -> None:
    score = read_midi(raw(SIMPLE, SIMPLE.replace(b"\x40", b"\x41"), form=2))
    assert score.melody.pitches == (60, 64)
    assert "The file holds 2 sequences (format 2); the first was read." in score.warnings


def test_an_impossible_key_signature_is_ignored() -> None:
    nonsense = raw(b"\0\xff\x59\2\x50\x07" + SIMPLE)
    assert replace(read_midi(nonsense), title="") == read_midi(raw(SIMPLE))
