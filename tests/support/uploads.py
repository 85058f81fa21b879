"""Files to upload to the bot: a reel as a MIDI file, and files without a tune."""

from __future__ import annotations

from fractions import Fraction

from simcord import InteractionResult

from mst_core.music import Key, Melody, Meter, Note
from mst_core.notation.midi import write_midi
from tests.support.discord_env import DiscordEnv

SCALE_STEPS = (0, 2, 4, 7, 9, 7, 4, 2, 0, 4, 7, 12, 9, 7, 4, 2)
TRUNCATED_MIDI = b"MThd\x00\x00\x00\x06\x00\x01"
"""The first bytes of a MIDI file."""
MP3_BYTES = b"ID3\x04" + bytes(500)


def write_reel(bars: int = 8, tonic: int = 62) -> bytes:
    """A reel in quavers that ends on a long note, as a MIDI file."""
    quaver = Fraction(1, 2)
    notes = [
        Note(place * quaver, quaver, tonic + SCALE_STEPS[place % len(SCALE_STEPS)])
        for place in range(bars * 8 - 2)
    ]
    notes.append(Note(Fraction(bars * 4 - 1), Fraction(1), tonic))
    melody = Melody(tuple(notes), Meter(4, 4), Key(tonic % 12), 180.0, bars)
    return write_midi(melody, program=73, title="The Test Reel")


async def send_rerhythm(
    server: DiscordEnv, name: str, data: bytes, **options: object
) -> InteractionResult:
    """Enter ``/rerhythm`` with a file as alice."""
    submitted = {"rhythm": "jazz"} | options
    return await server.alice.slash(
        server.channel,
        "rerhythm",
        file=(name, data),
        **{option: value for option, value in submitted.items() if value is not None},
    )
