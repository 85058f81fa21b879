"""What is worth telling of how a MusicXML file was read: plain sentences, in order of weight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mst_core.music import Melody
from mst_core.reading.musicxml.melody_part import Choice, Line
from mst_core.reading.musicxml.part import WrittenPart

_LONGEST_NAME = 80  # characters


def make_remarks(
    parts: Sequence[WrittenPart], choice: Choice, line: Line, melody: Melody
) -> Iterator[str]:
    """Tell which part was taken and why, and what was left out, changed or assumed."""
    part = parts[choice.place]
    found = part.found
    if len(parts) > 1:
        name = f", “{part.name[:_LONGEST_NAME]}”" if part.name else ""
        yield f"The melody is part {choice.place + 1} of {len(parts)}{name}: {choice.reason}."
    if line.voices > 1:
        yield f"The part has {line.voices} voices; the first one is the melody."
    if found["transposed"]:
        yield "The part is for a transposing instrument; it was read as it sounds."
    if any(each.found["jump"] for each in parts):
        yield "The file has jumps (D.C., D.S., coda); they are not played."
    if part.key is None:
        yield f"The file names no key; its notes suggest {melody.key.name}."
    elif found["keys"]:
        yield f"The key changes on the way; {melody.key.name} is the first."
    if all(measure.meter is None for measure in part.measures):
        yield f"The file names no meter; its measures suggest {melody.meter}."
    if not any(measure.tempos for each in parts for measure in each.measures):
        yield f"The file names no tempo; {melody.tempo:.0f} quarter notes per minute are assumed."
    for count, one, many in (
        (line.chords, "chord gave its top note", "chords gave their top notes"),
        (line.cut, "note that sounds on was ended", "notes that sound on were ended"),
        (found["grace"], "grace note was left out", "grace notes were left out"),
        (found["cue"], "cue note was left out", "cue notes were left out"),
        (found["hidden"], "hidden note was left out", "hidden notes were left out"),
        (found["rounded"], "pitch was rounded to a semitone", "pitches were rounded to semitones"),
    ):
        if count:
            yield f"{count} {one if count == 1 else many}."
