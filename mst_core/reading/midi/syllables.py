"""Finds the syllables that a MIDI file gives to a singer: lyric events, and the words of karaoke.

Karaoke files (`.kar`) write their words as plain text events, mostly in a track of their own: one
short text a syllable, a line begun with ``/`` and a verse with a backslash, facts with ``@``.
Times are ticks.
"""

from __future__ import annotations

from collections.abc import Sequence

from mst_core.reading.midi.chunks import MidiFile
from mst_core.reading.midi.messages import LYRIC, TEXT, TRACK_NAME, MidiMessage

_MIN_SYLLABLES = 8
"""Texts that a track of words must have."""
_MAX_MEAN_BYTES = 12
"""Mean length of the texts of a track of words; notes to the reader are longer."""
_LINE_MARKS = (b"/", b"\\")
_FACT_MARK = b"@"
_WORDS_NAMES = (b"word", b"lyric", b"karaoke", b"text")


def find_syllables(file: MidiFile) -> tuple[tuple[int, int], ...]:
    """Find the syllables of all tracks.

    Args:
        file: the messages of a MIDI file.

    Returns:
        (tick, index of the track) of each syllable, rising by tick: all lyric events, or where
        there are none the texts of the tracks that hold karaoke words.
    """
    for kind in (LYRIC, TEXT):
        found = [
            (tick, index)
            for index, track in enumerate(file.tracks)
            for tick in _syllables_of_track(track, kind)
        ]
        if found:
            return tuple(sorted(found))
    return ()


def _syllables_of_track(track: Sequence[MidiMessage], kind: int) -> list[int]:
    """The ticks of the syllables of a kind in one track."""
    texts = [
        (each.tick, each.data)
        for each in track
        if each.kind == kind and each.data.strip() and not each.data.startswith(_FACT_MARK)
    ]
    if kind == TEXT and not _are_words(track, texts):
        return []
    return [tick for tick, _ in texts]


def _are_words(track: Sequence[MidiMessage], texts: Sequence[tuple[int, bytes]]) -> bool:
    """Whether text events are the words of a song: many, short, spread over time, and marked."""
    ticks = {tick for tick, _ in texts}
    if len(ticks) < _MIN_SYLLABLES:
        return False
    if sum(len(text) for _, text in texts) > _MAX_MEAN_BYTES * len(texts):
        return False
    marked = any(text.startswith(_LINE_MARKS) for _, text in texts)
    names = [each.data.lower() for each in track if each.kind == TRACK_NAME][:1]
    named = any(word in name for name in names for word in _WORDS_NAMES)
    return marked or named or 2 * len(ticks) > len(texts)
