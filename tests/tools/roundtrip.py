"""``make laws CORPUS=...``: does every tune of a folder come back as it was written? A long look.

Each tune is read, written as ABC, MIDI and MusicXML, and what was written is read again: that must
be the same melody. Takes files and folders: .abc (every tune of it), .mid, .midi, .musicxml, .xml,
.mxl, and .jsonl corpora as `mst corpus` writes them. Prints what differs and a table; status 1 when
anything differs or breaks.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from mst_core.corpora.tunes import full_bars, parse_key
from mst_core.errors import BadOption, MstError
from mst_core.music import TICKS_PER_QUARTER, Key, Melody, Meter, MeterChange, Note
from mst_core.notation.abc import write_abc
from mst_core.notation.midi import write_midi
from mst_core.reading.abc.read import read_abc_score, split_tunes
from mst_core.reading.formats import decode_text
from mst_core.reading.load import load_score
from mst_core.reading.midi.read import read_midi
from mst_core.reading.musicxml.read import read_musicxml

ENDINGS = (".abc", ".mid", ".midi", ".musicxml", ".xml", ".mxl", ".jsonl")
FORMS = ("abc", "mid", "musicxml")
READ = "read"
"""The name of the first reading in the table."""
FINER = f"refused: finer than the {TICKS_PER_QUARTER} steps a quarter that a reader finds in MIDI"
MOST_SILENT_BARS = 8
"""At the end of a MIDI file; a reader leaves out more."""
DEFAULT_TEMPO = 120.0


@dataclass
class Finding:
    """What came of one tune or more, by form: ``same``, ``refused: ...``, ``different: ...``."""

    files: int = 0
    tunes: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    stories: list[str] = field(default_factory=list)
    """Each difference in a line."""

    def note(self, form: str, outcome: str, story: str = "") -> None:
        """Add one outcome."""
        self.outcomes[form, outcome] += 1
        if story:
            self.stories.append(story)

    def add(self, other: Finding) -> None:
        """Add what another process found."""
        self.files += other.files
        self.tunes += other.tunes
        self.outcomes += other.outcomes
        self.stories += other.stories


def look_at(path: Path, forms: Iterable[str]) -> Finding:
    """Take every tune of a file through every form."""
    finding = Finding(files=1)
    for name, tune in read_all(path):
        finding.tunes += 1
        if not isinstance(tune, Melody):
            finding.note(
                READ, judge(tune), "" if isinstance(tune, MstError) else f"{name}: {tune!r}"
            )
            continue
        finding.note(READ, "same")
        for form in forms:
            if form == "mid" and not on_grid(tune):
                finding.note(form, FINER)
                continue
            try:
                back = there_and_back(tune, form)
            except Exception as error:
                # What we read we must be able to read again, unless it cannot be written at all.
                outcome = judge(error)
                refused = isinstance(error, MstError) and error.code == "UnwritableRhythm"
                outcome = outcome if refused else f"different: {outcome}"
                finding.note(form, outcome, "" if refused else f"{name} as {form}: {error!r}")
                continue
            different = compare(tune, back, form)
            story = f"{name} as {form}: {different[1]}" if different else ""
            finding.note(form, f"different: {different[0]}" if different else "same", story)
    return finding


def read_all(path: Path) -> Iterator[tuple[str, Melody | Exception]]:
    """Give every tune of a file with its name, or why there is none."""
    match path.suffix.lower():
        case ".abc":
            try:
                texts = list(split_tunes(decode_text(path.read_bytes())))
            except MstError as error:
                yield str(path), error
                return
            for number, text in enumerate(texts, start=1):
                yield (
                    f"{path} tune {number}",
                    attempt(lambda text=text: read_abc_score(text).melody),
                )
        case ".jsonl":
            with path.open(encoding="utf-8") as lines:
                for number, line in enumerate(lines, start=1):
                    yield (
                        f"{path} line {number}",
                        attempt(lambda line=line: of_line(json.loads(line))),
                    )
        case _:
            yield str(path), attempt(lambda: load_score(path.name, path.read_bytes()).melody)


def attempt(read: Any) -> Melody | Exception:
    """Read, or say why not."""
    try:
        tune: Melody = read()
    except Exception as error:
        return error
    return tune


def of_line(line: dict[str, Any]) -> Melody:
    """Make a melody of a line of a corpus; bars of another length have a meter of their own."""
    meter = Meter.parse(line["meter"])
    starts = [Fraction(start) for start in line["bar_starts"]]
    last = line["notes"][-1]
    end = Fraction(last[1]) + Fraction(last[2])
    lines = full_bars(starts, end, meter.bar_length)
    first = lines[0]
    lines.append(max(end, lines[-1] + meter.bar_length))
    meters = [meter_of(after - start, meter) for start, after in pairwise(lines)]
    return Melody(
        notes=tuple(
            Note(Fraction(onset) - first, Fraction(duration), pitch)
            for pitch, onset, duration in line["notes"]
            if pitch is not None
        ),
        meter=meters[0],
        key=parse_key(line.get("key") or "") or Key(0),
        tempo=float(line.get("tempo") or DEFAULT_TEMPO),
        bar_count=len(meters),
        meter_changes=tuple(
            MeterChange(bar, new)
            for bar, (old, new) in enumerate(pairwise(meters), start=1)
            if new != old
        ),
    )


def meter_of(length: Fraction, meter: Meter) -> Meter:
    """The meter that a bar of this length has. Raises BadOption where none has."""
    if length == meter.bar_length:
        return meter
    for denominator in (4, 8, 16, 32):
        beats = length * denominator / 4
        if denominator >= meter.denominator and beats.denominator == 1 and beats <= 32:
            return Meter(int(beats), denominator)
    raise BadOption("bar", f"{length} quarters", "a meter must have it")


def there_and_back(tune: Melody, form: str) -> Melody:
    """Write a melody and read it again."""
    match form:
        case "abc":
            return read_abc_score(write_abc(tune)).melody
        case "mid":
            return read_midi(write_midi(tune, program=0)).melody
        case _:
            from mst_core.notation.musicxml import write_musicxml

            return read_musicxml(write_musicxml(tune)).melody


def compare(tune: Melody, back: Melody, form: str) -> tuple[str, str] | None:
    """Say in what two melodies differ and how, or None."""
    if form == "mid":
        before, after = as_midi_tells(tune), as_midi_tells(back)
    else:
        names = ("notes", "meter", "changes", "bars", "key", "repeats", "sections")
        before, after = ({name: getattr(each, name) for name in names} for each in (tune, back))
    for name, value in before.items():
        if value != after[name]:
            return name, first_difference(value, after[name])
    if abs(tune.tempo - back.tempo) > 0.01 * tune.meter.beat_length:
        return "tempo", f"{tune.tempo} became {back.tempo}"
    return None


def as_midi_tells(tune: Melody) -> dict[str, object]:
    """What a MIDI file can say of a melody: no repeats, no modes, no pickup but by its rests.

    A pickup stands in a full bar there, as a first bar that begins with a rest does, and silence
    before the first note says nothing: so all times count from that note. A long silence at the
    end says nothing either.
    """
    start, end = tune.notes[0].onset, tune.notes[-1].end
    first = sum(line <= start for line in tune.barlines)
    last = sum(line < end for line in tune.barlines)
    if tune.bar_count - last <= MOST_SILENT_BARS:
        last = tune.bar_count
    return {
        "notes": tuple((each.onset - start, each.duration, each.pitch) for each in tune.notes),
        "barlines": tuple(line - start for line in tune.barlines[first : last + 1]),
        "meters": tuple(str(tune.meter_at(bar)) for bar in range(first, last)),
        "key": tune.key.fifths,
    }


def first_difference(before: object, after: object) -> str:
    """Say where two values part."""
    if isinstance(before, tuple) and isinstance(after, tuple):
        for place, (one, other) in enumerate(zip(before, after, strict=False)):
            if one != other:
                return f"at {place} {one} became {other}"
        return f"{len(before)} became {len(after)}"
    return f"{before} became {after}"


def on_grid(tune: Melody) -> bool:
    """Whether every note begins and ends where written music can."""
    times = [time for note in tune.notes for time in (note.onset, note.end)]
    return all((time * TICKS_PER_QUARTER).denominator == 1 for time in times)


def judge(error: Exception) -> str:
    """Give a reason that can be counted: the class, and its words without numbers and names."""
    if isinstance(error, MstError):
        words = re.sub(r"'[^']*'|\d+", "…", str(error))
        return f"refused: {error.code}, {words[:70]}"
    return f"broken: {type(error).__name__}"


def show(found: dict[str, Finding], forms: Iterable[str]) -> bool:
    """Print the table; return whether all is well."""
    say = sys.stdout.write
    well = True
    for ending, finding in sorted(found.items()):
        say(f"\n{ending}: {finding.files} files, {finding.tunes} tunes\n")
        for form in (READ, *forms):
            outcomes = {what: n for (of, what), n in finding.outcomes.items() if of == form}
            same = outcomes.pop("same", 0)
            refused = sum(n for what, n in outcomes.items() if what.startswith("refused"))
            wrong = sum(outcomes.values()) - refused
            well = well and not wrong
            good = "read" if form == READ else "identical"
            say(f"  {form:<9} {good} {same:>5}  refused {refused:>4}  different {wrong:>4}\n")
            for what, many in sorted(outcomes.items(), key=lambda entry: -entry[1]):
                say(f"  {'':<9} {many:>7} {what}\n")
    return well


def main() -> int:
    """Look at everything that is named."""
    words = argparse.ArgumentParser(description="Hold a corpus to the laws of reading and writing.")
    words.add_argument("places", nargs="+", type=Path, help="files, and folders with all below")
    words.add_argument("--forms", default=",".join(FORMS), help="such as abc,mid")
    words.add_argument("--processes", type=int, default=2)
    words.add_argument("--stories", type=int, default=40, help="differences told at the most")
    asked = words.parse_args()
    forms = [form for form in FORMS if form in asked.forms.split(",")]
    for place in asked.places:
        if not place.exists():
            words.error(f"{place} is not there")
    paths = [
        path
        for place in asked.places
        for path in ([place] if place.is_file() else sorted(place.rglob("*")))
        if path.suffix.lower() in ENDINGS and path.is_file()
    ]
    if not paths:
        words.error(f"no files to read; they end in {', '.join(ENDINGS)}")
    found: dict[str, Finding] = {}
    told = 0
    with ProcessPoolExecutor(asked.processes) as pool:
        for path, finding in zip(
            paths, pool.map(partial(look_at, forms=forms), paths, chunksize=1), strict=True
        ):
            found.setdefault(path.suffix.lower(), Finding()).add(finding)
            for story in finding.stories:
                told += 1
                if told <= asked.stories:
                    sys.stdout.write(f"{story[:400]}\n")
    if told > asked.stories:
        sys.stdout.write(f"... and {told - asked.stories} more\n")
    return 0 if show(found, forms) else 1


if __name__ == "__main__":
    sys.exit(main())
