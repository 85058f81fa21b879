"""Import of a corpus: every tune of the sources becomes a corpus line, or is rejected."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from mst_core.corpora.files import (
    DATABASE_SUFFIXES,
    MAX_NAME_LENGTH,
    ImportLimits,
    RejectedItem,
    list_files,
    open_file,
)
from mst_core.corpora.jsonl import CorpusLine, check_line, line_from_abc, line_from_melody
from mst_core.corpora.variants import add_clusters
from mst_core.corpora.weimar import read_solos
from mst_core.errors import MstError, UnreadableScore
from mst_core.reading.abc.read import read_tune, split_tunes
from mst_core.reading.abc.text import decode_abc
from mst_core.reading.formats import (
    SNIFFED_BYTES,
    ScoreFormat,
    detect_format,
    sanitize_line,
)
from mst_core.reading.load import load_score
from mst_core.reading.parsed_score import Limits

MIN_NOTES = 12
"""A tune with fewer notes is rejected: it shows nothing of a style."""
TUNE_LIMITS = Limits(seconds=7_200.0)
"""Of one tune; a long solo may last longer than an upload."""
MAX_TITLE_LENGTH = 200
"""Characters."""


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is."""

    files_done: int
    total_files: int
    tunes: int
    """Lines made so far."""
    rejected: int


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The lines of an import, and what was rejected."""

    lines: tuple[CorpusLine, ...]
    rejected: tuple[RejectedItem, ...]
    other_files: int
    """Files in the folders that are not scores."""

    @property
    def n_clusters(self) -> int:
        """Count the tunes when variants count as one."""
        return len({line["cluster"] for line in self.lines})


def import_tunes(
    sources: Sequence[Path],
    *,
    limits: ImportLimits | None = None,
    on_progress: Callable[[ImportProgress], None] = lambda progress: None,
) -> ImportResult:
    """Read every tune of some folders, archives and files; reject duplicates, name the clusters.

    The same sources give the same lines in the same order.

    Args:
        sources: folders, zip archives, scores and databases.
        limits: how much is read of one file and of one archive.
        on_progress: called after each tune and each file.

    Raises:
        UnreadableScore: when a source does not exist or is of a kind that cannot be read.
    """
    limits = limits or ImportLimits()
    files, other_files = list_files(sources)
    lines: list[CorpusLine] = []
    rejected: list[RejectedItem] = []
    ids: set[str] = set()
    digests: dict[str, str] = {}
    for number, path in enumerate(files):
        for item in _read_file(path, limits):
            result = item if isinstance(item, RejectedItem) else _accept_line(item, ids, digests)
            if isinstance(result, RejectedItem):
                rejected.append(result)
            else:
                lines.append(result)
            on_progress(ImportProgress(number, len(files), len(lines), len(rejected)))
        on_progress(ImportProgress(number + 1, len(files), len(lines), len(rejected)))
    return ImportResult(tuple(add_clusters(lines)), tuple(rejected), other_files)


def _accept_line(
    line: CorpusLine, ids: set[str], digests: dict[str, str]
) -> CorpusLine | RejectedItem:
    """Check a line and make its id unique; reject one with the same notes as an earlier one."""
    try:
        tune = check_line(line, min_notes=MIN_NOTES)
    except MstError as error:
        return RejectedItem(line["id"], error.arguments[0])
    text = repr((line["meter"], [(e.pitch, e.onset, e.duration) for e in tune.events]))
    digest = hashlib.sha256(text.encode()).hexdigest()
    if digest in digests:
        return RejectedItem(line["id"], f"it has the same notes as {digests[digest]}")
    id_, copy = line["id"], 2
    while id_ in ids:
        id_, copy = f"{line['id']}-{copy}", copy + 1
    ids.add(id_)
    digests[digest] = id_
    return line | {"id": id_, "title": sanitize_line(str(line["title"]), MAX_TITLE_LENGTH)}


def _read_file(path: Path, limits: ImportLimits) -> Iterator[CorpusLine | RejectedItem]:
    """Yield the tunes of a file or archive."""
    if path.suffix.lower() in DATABASE_SUFFIXES:
        try:
            yield from read_solos(path)
        except MstError as error:
            yield RejectedItem(sanitize_line(path.name, MAX_NAME_LENGTH), str(error))
        return
    for found in open_file(path, limits):
        if isinstance(found, RejectedItem):
            yield found
            continue
        name, content = found
        try:
            yield from _read_source(name, content)
        except MstError as error:
            yield RejectedItem(name, str(error))


def _read_source(source: str, data: bytes) -> Iterator[CorpusLine | RejectedItem]:
    """Yield the tunes of one score; each tune of an ABC book is accepted or rejected alone."""
    inside = source.rpartition(": ")[2]
    stem = _slug(PurePosixPath(inside).stem)
    # A book of ABC tunes may be larger than one score.
    limits = replace(TUNE_LIMITS, file_bytes=max(TUNE_LIMITS.file_bytes, len(data)))
    kind = detect_format(inside, len(data), data[:SNIFFED_BYTES], limits)
    if kind is not ScoreFormat.ABC:
        if len(data) > TUNE_LIMITS.file_bytes:
            raise UnreadableScore(
                f"it has {len(data)} bytes", f"{TUNE_LIMITS.file_bytes} are accepted"
            )
        score = load_score(inside, data, limits=TUNE_LIMITS)
        title = score.title or PurePosixPath(inside).stem
        yield line_from_melody(stem, stem, title, score.melody)
        return
    text = decode_abc(data)
    for place, tune_text in enumerate(split_tunes(text, max_characters=len(text)), start=1):
        number = re.search(r"^\s*X:[ \t]*(\w+)", tune_text, re.MULTILINE)
        name = f"{stem}-{number[1][:20] if number else place}"
        try:
            tune = read_tune(tune_text, max_notes=TUNE_LIMITS.melody_notes)
            yield line_from_abc(name, stem, tune)
        except MstError as error:
            yield RejectedItem(f"{source}, {name}", str(error))


def _slug(text: str) -> str:
    """Lower-case letters and digits joined by hyphens, up to 60 characters; never empty."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "tune"
