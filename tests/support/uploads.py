"""What people send to the bot: a reel as a MIDI file, and files that are none."""

from __future__ import annotations

from fractions import Fraction

from simcord import InteractionResult

from mst_core.music import Key, Melody, Meter, Note
from mst_core.notation.midi import write_midi
from tests.support.discord_env import DiscordEnv

STEPS = (0, 2, 4, 7, 9, 7, 4, 2, 0, 4, 7, 12, 9, 7, 4, 2)
CUT_OFF = b"MThd\x00\x00\x00\x06\x00\x01"
"""Begins as a MIDI file does, and ends too soon."""
SOUND = b"ID3\x04" + bytes(500)


def write_reel(bars: int = 8, tonic: int = 62) -> bytes:
    """A reel in quavers that ends on a long note, as a MIDI file."""
    quaver = Fraction(1, 2)
    notes = [
        Note(place * quaver, quaver, tonic + STEPS[place % len(STEPS)])
        for place in range(bars * 8 - 2)
    ]
    notes.append(Note(Fraction(bars * 4 - 1), Fraction(1), tonic))
    melody = Melody(tuple(notes), Meter(4, 4), Key(tonic % 12), 180.0, bars)
    return write_midi(melody, program=73, title="The Test Reel")


async def send(stage: DiscordEnv, name: str, data: bytes, **options: object) -> InteractionResult:
    """Let alice give ``/rerhythm`` with a file."""
    asked = {"rhythm": "jazz"} | options
    return await stage.alice.slash(
        stage.channel,
        "rerhythm",
        file=(name, data),
        **{option: value for option, value in asked.items() if value is not None},
    )
