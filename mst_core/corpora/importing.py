"""Importing: every tune of the sources becomes a line of a corpus, or a refusal with its reason."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from mst_core.corpora.files import Bounds, Found, Refusal, list_files, open_file
from mst_core.corpora.jsonl import Line, check_line, line_of_abc, line_of_melody
from mst_core.corpora.variants import with_clusters
from mst_core.corpora.weimar import read_solos
from mst_core.errors import MstError, UnreadableScore
from mst_core.reading.abc.read import read_tune, split_tunes
from mst_core.reading.formats import FIRST_BYTES, Kind, cheap_check, decode_text, one_line
from mst_core.reading.load import read_score
from mst_core.reading.parsed_score import Limits

FEWEST_NOTES = 12
"""A tune with fewer says nothing of its style."""
LIMITS = Limits(seconds=7_200.0)
"""Of one tune: a long solo may last longer than what strangers may upload."""
LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class State:
    """How far an import is."""

    files: int
    """Files done."""
    of: int
    tunes: int
    refused: int


@dataclass(frozen=True, slots=True)
class Harvest:
    """What an import gave."""

    lines: tuple[Line, ...]
    refusals: tuple[Refusal, ...]
    others: int
    """Files in the folders that are no scores."""

    @property
    def clusters(self) -> int:
        """How many tunes there are when variants count as one."""
        return len({line["cluster"] for line in self.lines})


def import_tunes(
    sources: Sequence[Path],
    *,
    bounds: Bounds | None = None,
    tell: Callable[[State], None] = lambda state: None,
) -> Harvest:
    """Read every tune of some folders, archives and files, name its cluster, and leave out doubles.

    The same sources give the same lines in the same order.

    Raises:
        UnreadableScore: when a source is not there or of no kind that can be read.
    """
    bounds = bounds or Bounds()
    files, others = list_files(sources)
    lines: list[Line] = []
    refusals: list[Refusal] = []
    names: set[str] = set()
    known: dict[str, str] = {}
    for number, path in enumerate(files):
        for item in _read_file(path, bounds):
            taken = item if isinstance(item, Refusal) else _take(item, names, known)
            if isinstance(taken, Refusal):
                refusals.append(taken)
            else:
                lines.append(taken)
            tell(State(number, len(files), len(lines), len(refusals)))
        tell(State(number + 1, len(files), len(lines), len(refusals)))
    return Harvest(tuple(with_clusters(lines)), tuple(refusals), others)


def _take(line: Line, names: set[str], known: dict[str, str]) -> Line | Refusal:
    """Check a line, give it a name of its own, and refuse what came before note for note."""
    try:
        tune = check_line(line, fewest=FEWEST_NOTES)
    except MstError as error:
        return Refusal(line["id"], error.arguments[0])
    text = repr((line["meter"], [(e.pitch, e.onset, e.duration) for e in tune.events]))
    digest = hashlib.sha256(text.encode()).hexdigest()
    if digest in known:
        return Refusal(line["id"], f"it has the same notes as {known[digest]}")
    name, copy = line["id"], 2
    while name in names:
        name, copy = f"{line['id']}-{copy}", copy + 1
    names.add(name)
    known[digest] = name
    return line | {"id": name, "title": one_line(str(line["title"]), LONGEST_TITLE)}


def _read_file(path: Path, bounds: Bounds) -> Iterator[Line | Refusal]:
    for found in open_file(path, bounds):
        if isinstance(found, Refusal):
            yield found
            continue
        try:
            if found.database is not None:
                yield from read_solos(found.database)
            else:
                yield from _read_score(found)
        except MstError as error:
            yield Refusal(found.name, str(error))


def _read_score(found: Found) -> Iterator[Line | Refusal]:
    """The tunes of one file; each of an ABC book stands for itself."""
    inside = found.name.rpartition(": ")[2]
    bounds = replace(LIMITS, octets=max(LIMITS.octets, len(found.data)))
    kind = cheap_check(inside, len(found.data), found.data[:FIRST_BYTES], bounds)
    stem = _slug(PurePosixPath(inside).stem)
    if kind is not Kind.ABC:
        if len(found.data) > LIMITS.octets:
            raise UnreadableScore(
                f"it has {len(found.data)} bytes", f"{LIMITS.octets} are accepted"
            )
        reading = read_score(inside, found.data, limits=LIMITS)
        title = reading.title or PurePosixPath(inside).stem
        yield line_of_melody(stem, stem, title, reading.melody)
        return
    text = decode_text(found.data)
    for place, tune_text in enumerate(split_tunes(text, characters=len(text)), start=1):
        number = re.search(r"^\s*X:[ \t]*(\w+)", tune_text, re.MULTILINE)
        name = f"{stem}-{number[1][:20] if number else place}"
        try:
            tune = read_tune(tune_text, notes=LIMITS.melody_notes)
            yield line_of_abc(name, stem, tune)
        except MstError as error:
            yield Refusal(f"{found.name}, {name}", str(error))


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "tune"
