"""``mst read``: what is found in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from mst_core.cli import options
from mst_core.cli.batch import read_score_file
from mst_core.cli.errors import report_error
from mst_core.errors import MstError
from mst_core.reading.formats import ScoreFormat, sanitize_line
from mst_core.reading.parsed_score import ParsedScore

_EXAMPLE = """\b
What is in these files?
    mst read tune.mid reel.abc sonata.mxl
"""


@click.command("read", epilog=_EXAMPLE)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@click.option("--track", type=int, metavar="N", help="The track or part with the melody.")
@options.json
def command(files: tuple[Path, ...], track: int | None, as_json: bool) -> int:
    """Tell what melody is found in a MIDI, ABC or MusicXML file, and what stands beside it.

    With several files the good ones are told and the bad ones named.
    """
    status = 0
    for path in files:
        try:
            kind, reading = read_score_file(path, track=track)
        except MstError as error:
            status = report_error(error, path)
            continue
        if as_json:
            found = {"file": str(path), "format": kind, **describe_score(reading)}
            # What a file name has that is no text is escaped.
            line = json.dumps(found, ensure_ascii=False)
            click.echo(line.encode("utf-8", "backslashreplace"))
        else:
            click.echo("\n".join(_sentences(path, kind, reading)))
    return status


def describe_score(reading: ParsedScore) -> dict[str, Any]:
    """Give what was found in words and figures; times in seconds, tempo in quarters a minute."""
    melody = reading.melody
    return {
        "title": reading.title,
        "meter": str(melody.meter),
        "meter_changes": len(melody.meter_changes),
        "key": melody.key.name,
        "tempo": round(melody.tempo, 2),
        "bars": melody.bar_count,
        "pickup": float(melody.pickup),
        "repeats": len(melody.repeats),
        "notes": len(melody.notes),
        "seconds": round(melody.seconds, 1),
        "program": reading.program,
        "tempo_changes": len(reading.tempos),
        "parts": [
            {
                "name": part.name,
                "program": part.program,
                "drums": part.drums,
                "notes": len(part.notes),
            }
            for part in reading.parts
        ],
        "remarks": list(reading.warnings),
    }


def _sentences(path: Path, kind: ScoreFormat, reading: ParsedScore) -> list[str]:
    found = describe_score(reading)
    title = f": {reading.title}" if reading.title else ""
    pickup = " and a pickup" if found["pickup"] else ""
    changes = f" (it changes {found['meter_changes']} times)" if found["meter_changes"] else ""
    lines = [
        sanitize_line(f"{path} ({kind}){title}", 300),
        f"    {found['notes']} notes in {found['bars']} bars{pickup} of {found['meter']}{changes}, "
        f"{found['key']}, {found['tempo']:g} quarter notes a minute, {found['seconds']:.0f} s",
    ]
    for part in reading.parts:
        name = part.name or "without a name"
        lines.append(
            f"    beside it: {'drums, ' if part.drums else ''}{name}, {len(part.notes)} notes"
        )
    return lines + [f"    {remark}" for remark in reading.warnings]
