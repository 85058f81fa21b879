"""A melody as a standard MIDI file: the score, straight, on the grid, one velocity.

MIDI has no negative time: a pickup is padded to full bars of rest. Rests are gaps. The track ends
at the final barline. Swing and feel are not here, see `mst_core.sound`.
"""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO

from mido import Message, MetaMessage, MidiFile, MidiTrack

from mst_core.errors import UnwritableRhythm
from mst_core.music import TICKS_A_QUARTER, Key, Melody

VELOCITY = 80
_CLOCKS_A_QUARTER = 24
_MAJOR = ("Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B")
_MINOR = ("Ebm", "Bbm", "Fm", "Cm", "Gm", "Dm", "Am", "Em", "Bm", "F#m", "C#m", "G#m")


def write_midi(melody: Melody, *, program: int, title: str = "") -> bytes:
    """Write a file of format 0 with 480 ticks a quarter.

    Raises:
        UnwritableRhythm: when a note begins or ends between two ticks.
    """
    track = MidiTrack()
    track.append(MetaMessage("track_name", name=" ".join(title.split()) or "Melody"))
    track.append(MetaMessage("set_tempo", tempo=round(60_000_000 / melody.tempo)))
    track.append(
        MetaMessage(
            "time_signature",
            numerator=melody.meter.numerator,
            denominator=melody.meter.denominator,
            clocks_per_click=int(melody.meter.beat * _CLOCKS_A_QUARTER),
        )
    )
    track.append(MetaMessage("key_signature", key=_key(melody.key)))
    track.append(Message("program_change", program=program))

    padding = -(-melody.pickup // melody.meter.bar) * melody.meter.bar
    now = 0
    for note in melody.notes:
        onset, end = (_ticks(time + padding, melody) for time in (note.onset, note.end))
        track.append(Message("note_on", note=note.pitch, velocity=VELOCITY, time=onset - now))
        track.append(Message("note_off", note=note.pitch, velocity=0, time=end - onset))
        now = end
    track.append(MetaMessage("end_of_track", time=_ticks(melody.length + padding, melody) - now))

    file = BytesIO()
    MidiFile(type=0, ticks_per_beat=TICKS_A_QUARTER, charset="utf-8", tracks=[track]).save(
        file=file
    )
    return file.getvalue()


def _ticks(time: Fraction, melody: Melody) -> int:
    ticks = time * TICKS_A_QUARTER
    if ticks.denominator != 1:
        bar = time // melody.meter.bar + 1
        raise UnwritableRhythm(bar, f"{time % melody.meter.bar} quarters after the barline")
    return int(ticks)


def _key(key: Key) -> str:
    """Name the key that has this signature; MIDI knows major and minor only."""
    return (_MINOR if key.minor else _MAJOR)[key.fifths + 6]
