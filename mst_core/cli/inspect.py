"""``mst inspect``: what the parser finds in a file. ``mst read`` is its old name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mst_core.cli import options
from mst_core.cli.errors import report_error
from mst_core.cli.files import read_score_file
from mst_core.cli.output import print_json
from mst_core.errors import MstError
from mst_core.reading.formats import ScoreFormat, sanitize_line
from mst_core.reading.parsed_score import ParsedScore, Selection

_SHOWN_CANDIDATES = 6
"""Parts that are shown in the ranking; ``--json`` has all."""
_SHOWN_TUNES = 50
"""Titles of a book that are shown; ``--json`` has all."""
_PART_NOUNS = {ScoreFormat.MIDI: "track", ScoreFormat.ABC: "voice"}
_EXAMPLE = """\b
What is in these files?
    mst inspect tune.mid reel.abc sonata.mxl
"""


@click.command("inspect", epilog=_EXAMPLE)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@options.track
@options.tune
@options.json
def command(files: tuple[Path, ...], track: int | None, tune: int | None, as_json: bool) -> int:
    """Show the melody that is found in a MIDI, ABC or MusicXML file, and the other parts.

    When some of several files fail, the others are shown.
    """
    status = 0
    for path in files:
        try:
            score_format, score = read_score_file(path, Selection(track, tune))
        except MstError as error:
            status = report_error(error, path)
            continue
        if as_json:
            print_json({"file": str(path), "format": score_format, **describe_score(score)})
        else:
            click.echo("\n".join(_sentences(path, score_format, score)))
    return status


def describe_score(score: ParsedScore) -> dict[str, Any]:
    """Return the contents of a score for JSON: seconds, tempo in quarter notes per minute."""
    melody = score.melody
    return {
        "title": score.title,
        "meter": str(melody.meter),
        "meter_changes": len(melody.meter_changes),
        "key": melody.key.name,
        "tempo": round(melody.tempo, 2),
        "bars": melody.bar_count,
        "pickup": float(melody.pickup),
        "repeats": len(melody.repeats),
        "notes": len(melody.notes),
        "seconds": round(melody.seconds, 1),
        "program": score.program,
        "tempo_changes": len(melody.tempo_changes),
        "key_changes": [
            {"bar": change.bar + 1, "key": change.key.name} for change in melody.key_changes
        ],
        "chords": len(melody.chords),
        "grace_notes": len(melody.grace_notes),
        "swing": score.swing,
        "tunes": len(score.tunes),
        "tune": score.tune,
        "tune_titles": list(score.tunes),
        "track": score.track,
        "candidates": [
            {
                "track": candidate.number,
                "name": candidate.name,
                "notes": candidate.notes,
                "score": candidate.score,
            }
            for candidate in score.candidates
        ],
        "parts": [
            {
                "name": part.name,
                "program": part.program,
                "drums": part.drums,
                "notes": len(part.notes),
            }
            for part in score.parts
        ],
        "remarks": list(score.warnings),
    }


def _times(count: int) -> str:
    """Such as ``once`` or ``3 times``."""
    return "once" if count == 1 else f"{count} times"


def _count(number: int, noun: str) -> str:
    """Such as ``1 bar`` or ``3 bars``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _sentences(path: Path, score_format: ScoreFormat, score: ParsedScore) -> list[str]:
    """Return the contents of a score as lines for a person."""
    found = describe_score(score)
    title = f": {score.title}" if score.title else ""
    pickup = " and a pickup" if found["pickup"] else ""
    changes = f" (it changes {_times(found['meter_changes'])})" if found["meter_changes"] else ""
    lines = [
        sanitize_line(f"{path} ({score_format}){title}", 300),
        f"    {found['notes']} notes in {_count(found['bars'], 'bar')}{pickup} of "
        f"{found['meter']}{changes}, {found['key']}, "
        f"{found['tempo']:g} quarter notes a minute, {found['seconds']:.0f} s",
    ]
    if len(score.tunes) > 1:
        book = ", ".join(
            f"{number} {sanitize_line(title, 60) or 'without a title'}"
            for number, title in enumerate(score.tunes[:_SHOWN_TUNES], start=1)
        )
        more = len(score.tunes) - _SHOWN_TUNES
        lines.append(f"    tunes: {book}{f' and {more} more' if more > 0 else ''}")
    if len(score.candidates) > 1:
        ranking = ", ".join(
            f"{candidate.number} {candidate.name} ({100 * candidate.score:.0f} %)"
            for candidate in score.candidates[:_SHOWN_CANDIDATES]
        )
        more = len(score.candidates) - _SHOWN_CANDIDATES
        lines.append(
            f"    melody: {_PART_NOUNS.get(score_format, 'part')} {score.track}; "
            f"by likelihood: {ranking}{f' and {more} more' if more > 0 else ''}"
        )
    for part in score.parts:
        name = part.name or "without a name"
        drums = " (percussion)" if part.drums else ""
        lines.append(f"    other part: {name}{drums}, {_count(len(part.notes), 'note')}")
    return lines + [f"    {warning}" for warning in score.warnings]
