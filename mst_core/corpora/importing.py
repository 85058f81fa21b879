"""Importing: every tune of the sources becomes a line of a corpus, or a refusal with its reason."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from mst_core.corpora.files import ImportLimits, RejectedItem, SourceFile, list_files, open_file
from mst_core.corpora.jsonl import CorpusLine, check_line, line_from_abc, line_from_melody
from mst_core.corpora.variants import add_clusters
from mst_core.corpora.weimar import read_solos
from mst_core.errors import MstError, UnreadableScore
from mst_core.reading.abc.read import read_tune, split_tunes
from mst_core.reading.formats import (
    SNIFFED_BYTES,
    ScoreFormat,
    decode_text,
    detect_format,
    sanitize_line,
)
from mst_core.reading.load import load_score
from mst_core.reading.parsed_score import Limits

MIN_NOTES = 12
"""A tune with fewer says nothing of its style."""
TUNE_LIMITS = Limits(seconds=7_200.0)
"""Of one tune: a long solo may last longer than what strangers may upload."""
MAX_TITLE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is."""

    files_done: int
    """Files done."""
    total_files: int
    tunes: int
    rejected: int


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import gave."""

    lines: tuple[CorpusLine, ...]
    rejected: tuple[RejectedItem, ...]
    other_files: int
    """Files in the folders that are no scores."""

    @property
    def n_clusters(self) -> int:
        """How many tunes there are when variants count as one."""
        return len({line["cluster"] for line in self.lines})


def import_tunes(
    sources: Sequence[Path],
    *,
    limits: ImportLimits | None = None,
    on_progress: Callable[[ImportProgress], None] = lambda state: None,
) -> ImportResult:
    """Read every tune of some folders, archives and files, name its cluster, and leave out doubles.

    The same sources give the same lines in the same order.

    Raises:
        UnreadableScore: when a source is not there or of no kind that can be read.
    """
    limits = limits or ImportLimits()
    files, others = list_files(sources)
    lines: list[CorpusLine] = []
    refusals: list[RejectedItem] = []
    names: set[str] = set()
    known: dict[str, str] = {}
    for number, path in enumerate(files):
        for item in _read_file(path, limits):
            taken = item if isinstance(item, RejectedItem) else _accept_line(item, names, known)
            if isinstance(taken, RejectedItem):
                refusals.append(taken)
            else:
                lines.append(taken)
            on_progress(ImportProgress(number, len(files), len(lines), len(refusals)))
        on_progress(ImportProgress(number + 1, len(files), len(lines), len(refusals)))
    return ImportResult(tuple(add_clusters(lines)), tuple(refusals), others)


def _accept_line(
    line: CorpusLine, names: set[str], known: dict[str, str]
) -> CorpusLine | RejectedItem:
    """Check a line, give it a name of its own, and refuse what came before note for note."""
    try:
        tune = check_line(line, min_notes=MIN_NOTES)
    except MstError as error:
        return RejectedItem(line["id"], error.arguments[0])
    text = repr((line["meter"], [(e.pitch, e.onset, e.duration) for e in tune.events]))
    digest = hashlib.sha256(text.encode()).hexdigest()
    if digest in known:
        return RejectedItem(line["id"], f"it has the same notes as {known[digest]}")
    name, copy = line["id"], 2
    while name in names:
        name, copy = f"{line['id']}-{copy}", copy + 1
    names.add(name)
    known[digest] = name
    return line | {"id": name, "title": sanitize_line(str(line["title"]), MAX_TITLE_LENGTH)}


def _read_file(path: Path, bounds: ImportLimits) -> Iterator[CorpusLine | RejectedItem]:
    for found in open_file(path, bounds):
        if isinstance(found, RejectedItem):
            yield found
            continue
        try:
            if found.database is not None:
                yield from read_solos(found.database)
            else:
                yield from _read_score(found)
        except MstError as error:
            yield RejectedItem(found.name, str(error))


def _read_score(found: SourceFile) -> Iterator[CorpusLine | RejectedItem]:
    """The tunes of one file; each of an ABC book stands for itself."""
    inside = found.name.rpartition(": ")[2]
    bounds = replace(TUNE_LIMITS, file_bytes=max(TUNE_LIMITS.file_bytes, len(found.data)))
    kind = detect_format(inside, len(found.data), found.data[:SNIFFED_BYTES], bounds)
    stem = _slug(PurePosixPath(inside).stem)
    if kind is not ScoreFormat.ABC:
        if len(found.data) > TUNE_LIMITS.file_bytes:
            raise UnreadableScore(
                f"it has {len(found.data)} bytes", f"{TUNE_LIMITS.file_bytes} are accepted"
            )
        reading = load_score(inside, found.data, limits=TUNE_LIMITS)
        title = reading.title or PurePosixPath(inside).stem
        yield line_from_melody(stem, stem, title, reading.melody)
        return
    text = decode_text(found.data)
    for place, tune_text in enumerate(split_tunes(text, max_characters=len(text)), start=1):
        number = re.search(r"^\s*X:[ \t]*(\w+)", tune_text, re.MULTILINE)
        name = f"{stem}-{number[1][:20] if number else place}"
        try:
            tune = read_tune(tune_text, max_notes=TUNE_LIMITS.melody_notes)
            yield line_from_abc(name, stem, tune)
        except MstError as error:
            yield RejectedItem(f"{found.name}, {name}", str(error))


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "tune"
