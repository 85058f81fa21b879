"""Tests of the MIDI writer: notes on their ticks, and the messages about them."""

from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from mido import Message, MidiFile

from mst_core.errors import UnwritableRhythm
from mst_core.music import (
    ControlEvent,
    GraceNotes,
    Key,
    KeyChange,
    Melody,
    Meter,
    MeterChange,
    Note,
    Part,
    PartNote,
    Repeat,
    TempoChange,
)
from mst_core.notation.midi import build_track, write_midi
from mst_core.reading.load import load_score
from tests.support.melodies import JIG, REEL, melodies, melody, sounding

QUICK = settings(deadline=None, max_examples=80)


def read_file(data: bytes) -> MidiFile:
    file = MidiFile(file=io.BytesIO(data), charset="utf-8")
    assert file.ticks_per_beat == 480
    return file


def notes_of(data: bytes, track: int = 0) -> tuple[list[tuple[int, int, int]], int]:
    """Return onset and duration in ticks and pitch of each note, and the end of the track."""
    now = 0
    notes: list[tuple[int, int, int]] = []
    begun: dict[int, int] = {}
    for message in read_file(data).tracks[track]:
        now += message.time
        if message.type == "note_on":
            begun[message.note] = now
        elif message.type == "note_off":
            start = begun.pop(message.note)
            notes.append((start, now - start, message.note))
    return notes, now


def messages_of(data: bytes, kind: str, track: int = 0) -> list[tuple[int, dict[str, object]]]:
    """Return every message of a type, with its tick."""
    now, found = 0, []
    for message in read_file(data).tracks[track]:
        now += message.time
        if message.type == kind:
            found.append((now, message.dict()))
    return found


@QUICK
@given(melodies(changes=True, repeats=True))
def test_a_midi_file_reads_back_as_the_same_notes(tune: Melody) -> None:
    data = write_midi(tune, program=73, title="A tune")
    notes, end = notes_of(data)
    padding = -(-tune.pickup // tune.meter.bar_length) * tune.meter.bar_length
    assert notes == [
        (int((onset + padding) * 480), int(duration * 480), pitch)
        for onset, duration, pitch in sounding(tune.notes)
    ]
    assert end == (tune.length + padding) * 480
    bars = [0] * bool(padding) + [int((line + padding) * 480) for line in tune.barlines]
    meters = [(tick, each["numerator"]) for tick, each in messages_of(data, "time_signature")]
    assert meters[0] == (0, tune.meter.numerator)
    assert meters[1:] == [
        (bars[change.bar + bool(padding)], change.meter.numerator) for change in tune.meter_changes
    ]


def test_a_midi_file_contains_title_tempo_meter_key_and_program() -> None:
    data = write_midi(JIG, program=21, title="Zoë’s ♩ jig")
    file = MidiFile(file=io.BytesIO(data), charset="utf-8")
    messages = {message.type: message for message in file.tracks[0]}
    assert messages["track_name"].name == "Zoë’s ♩ jig"
    assert messages["set_tempo"].tempo == 333_333
    assert (messages["time_signature"].numerator, messages["time_signature"].denominator) == (6, 8)
    assert messages["key_signature"].key == "G"
    assert messages["program_change"].program == 21
    assert {m.velocity for m in file.tracks[0] if m.type == "note_on"} == {80}


def test_a_modal_key_is_written_as_the_key_with_its_signature() -> None:
    for text, name in {"Ador": "Em", "Amix": "D", "Ebm": "Ebm", "Gb": "Gb", "B": "B"}.items():
        file = MidiFile(file=io.BytesIO(write_midi(melody("A4*8", key=text), program=0)))
        assert next(m.key for m in file.tracks[0] if m.type == "key_signature") == name


def test_a_time_between_two_ticks_is_an_error() -> None:
    tune = Melody((Note(Fraction(0), Fraction(1, 7), 60),), Meter(4, 4), Key(0), 120.0, bar_count=1)
    with pytest.raises(UnwritableRhythm):
        write_midi(tune, program=0)


# Other parts

BASS = Part(
    "Bass, plucked", 32, False, tuple(PartNote(Fraction(n), Fraction(1), 43, 70) for n in range(4))
)
CHORDS = Part(
    "Chords", 0, False, tuple(PartNote(Fraction(1, 3), Fraction(2), p, 60) for p in (55, 59, 62))
)
BEATS = Part("Kit", 0, True, (PartNote(Fraction(-1, 2), Fraction(1, 8), 42, 99),))
JIG_BAND = write_midi(JIG, program=21, title="A jig", parts=(BASS, CHORDS, BEATS))


def test_with_parts_the_track_of_the_melody_is_named_melody() -> None:
    file = read_file(JIG_BAND)
    assert file.type == 1
    assert [track.name for track in file.tracks] == [
        "A jig",
        "melody",
        "Bass, plucked",
        "Chords",
        "Kit",
    ]
    assert {message.type for message in file.tracks[0] if not message.is_meta} == set()
    assert notes_of(JIG_BAND, 1) == notes_of(write_midi(JIG, program=21))


def test_a_pickup_pads_all_parts_equally() -> None:
    assert [onset for onset, _, _ in notes_of(JIG_BAND, 1)[0]][:2] == [1200, 1440]
    assert [onset for onset, _, _ in notes_of(JIG_BAND, 2)[0]] == [1440, 1920, 2400, 2880]
    assert [onset for onset, _, _ in notes_of(JIG_BAND, 3)[0]] == [1600, 1600, 1600]
    assert notes_of(JIG_BAND, 4)[0] == [(1200, 60, 42)]
    drums = replace(BEATS, notes=(PartNote(Fraction(-4), Fraction(1), 42),))
    assert notes_of(write_midi(REEL, program=0, parts=(drums,)), 2)[0] == [(0, 480, 42)]
    assert notes_of(write_midi(REEL, program=0, parts=(drums,)), 1)[0][0] == (1920, 240, 74)


def test_each_part_keeps_its_program_velocity_and_channel() -> None:
    tracks = [
        [message for message in track if not message.is_meta]
        for track in read_file(JIG_BAND).tracks
    ]
    assert [{message.channel for message in track} for track in tracks[1:]] == [{0}, {1}, {2}, {9}]
    assert [track[0].program for track in tracks[1:]] == [21, 32, 0, 0]
    assert [track[1].velocity for track in tracks[1:]] == [80, 70, 60, 99]


def test_parts_beyond_the_channels_use_another_port() -> None:
    file = read_file(write_midi(JIG, program=0, parts=[BASS] * 20))
    ports_and_channels = set()
    for track in file.tracks[1:]:
        port = next((message.port for message in track if message.type == "midi_port"), 0)
        ports_and_channels.add((port, next(m.channel for m in track if m.type == "program_change")))
    assert len(ports_and_channels) == 21
    assert {channel for _, channel in ports_and_channels} <= set(range(16)) - {9}


def test_a_repeated_note_ends_before_it_begins_again() -> None:
    again = Part("Bass", 32, False, tuple(PartNote(Fraction(n), Fraction(1), 43) for n in (1, 0)))
    assert notes_of(write_midi(REEL, program=0, parts=(again,)), 2)[0] == [
        (0, 480, 43),
        (480, 480, 43),
    ]


def test_tempo_changes_are_written_at_their_times() -> None:
    changes = (TempoChange(Fraction(-3), 90.0), TempoChange(Fraction(6), 60.0))
    data = write_midi(replace(JIG, tempo_changes=changes), program=0)
    assert [(tick, each["tempo"]) for tick, each in messages_of(data, "set_tempo")] == [
        (0, 666_667),
        (4320, 1_000_000),
    ]


def test_repeats_are_written_once() -> None:
    repeated = replace(REEL, repeats=(Repeat(0, 8), Repeat(8, 16)))
    assert write_midi(repeated, program=0) == write_midi(REEL, program=0)


def test_meter_changes_are_written_at_their_barlines() -> None:
    tune = melody("C4*6 D4*4 E4*4 F4*6", meter="3/4", bars=4)
    changes = (MeterChange(1, Meter(2, 4)), MeterChange(3, Meter(3, 4)))
    messages = messages_of(
        write_midi(replace(tune, meter_changes=changes), program=0), "time_signature"
    )
    assert [(tick, each["numerator"]) for tick, each in messages] == [(0, 3), (1440, 2), (3360, 3)]


def test_a_track_sorts_messages_by_tick_and_ends_notes_before_it_begins_others() -> None:
    on, off = Message("note_on", note=60, velocity=80), Message("note_off", note=60)
    program = Message("program_change", program=5)
    events = [each.copy(time=48) for each in (on, off, program)]
    track = build_track([*events, on], end=96)
    assert [(each.type, each.time) for each in track] == [
        ("note_on", 0),
        ("note_off", 48),
        ("program_change", 0),
        ("note_on", 0),
        ("end_of_track", 48),
    ]


def test_a_track_never_ends_before_its_last_message() -> None:
    track = build_track([Message("note_off", note=60, time=48)])
    assert [each.time for each in track] == [48, 0]


def test_parts_and_melody_keep_their_controllers() -> None:
    fade = (
        ControlEvent(Fraction(0), "control", 10, 20),
        ControlEvent(Fraction(2), "program", 41),
        ControlEvent(Fraction(3), "bend", 0, -512),
    )
    strings = Part("Strings", 48, False, (PartNote(Fraction(0), Fraction(4), 50),), fade)
    data = write_midi(REEL, program=73, parts=[strings], controls=fade[:1])
    assert [
        (tick, message["control"], message["value"])
        for tick, message in messages_of(data, "control_change", 2)
    ] == [(0, 10, 20)]
    programs = messages_of(data, "program_change", 2)
    assert [(tick, message["program"]) for tick, message in programs] == [(0, 48), (960, 41)]
    assert [(tick, m["pitch"]) for tick, m in messages_of(data, "pitchwheel", 2)] == [(1440, -512)]
    assert len(messages_of(data, "control_change", 1)) == 1


def test_grace_notes_have_a_track_of_their_own() -> None:
    tune = replace(REEL, grace_notes=(GraceNotes(0, (75,)), GraceNotes(17, (74, 76))))
    data = write_midi(tune, program=73)
    plain = write_midi(REEL, program=73)
    assert notes_of(data, 1)[0] == notes_of(plain)[0]
    names = messages_of(data, "track_name", 2)
    assert [message["name"] for _, message in names] == ["melody, grace notes"]
    ticks = round(0.06 * 480 * 200 / 60)  # 60 ms at 200 quarter notes per minute
    end = 9 * 480
    assert [(start, length, pitch) for start, length, pitch in notes_of(data, 2)[0][1:]] == [
        (end - 2 * ticks, ticks, 74),
        (end - ticks, ticks, 76),
    ]


def test_a_track_of_many_grace_notes_is_not_read_as_the_melody() -> None:
    tune = melody("C5 " * 12 + "C5*4", bars=4)
    graces = tuple(GraceNotes(note, (76, 74 + note % 3)) for note in range(13))
    score = load_score("t.mid", write_midi(replace(tune, grace_notes=graces), program=40))
    assert score.melody.pitches == tune.pitches


def test_keys_change_where_the_melody_changes_them() -> None:
    tune = replace(REEL, key_changes=(KeyChange(8, Key(9)),))
    keys = messages_of(write_midi(tune, program=0), "key_signature")
    assert [(tick, message["key"]) for tick, message in keys] == [(0, "D"), (8 * 4 * 480, "A")]
