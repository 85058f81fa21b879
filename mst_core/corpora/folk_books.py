"""The folk corpus: three books of dances whose ABC files the ``music21`` package ships.

Aird's Airs (1778-1801), O'Neill's Music of Ireland (1903) and Ryan's Mammoth Collection (1883).
music21 itself is not imported, only its folder is looked up; `mst_core.reading` reads the files.
Tunes that are held out for evaluation are left out, or read alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import msgspec

from mst_core.corpora.files import RejectedItem
from mst_core.corpora.jsonl import CorpusLine, line_from_abc
from mst_core.errors import MstError, UnreadableScore
from mst_core.reading.abc.read import read_tune, split_tunes
from mst_core.reading.abc.tune import AbcTune

BOOKS = {"aird": "airdsAirs", "oneill": "oneills1850", "ryan": "ryansMammoth"}
"""Folder of each book below music21's corpus."""
_NUMBER = re.compile(r"^X:[ \t]*(\S*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FolkTune:
    """A tune of a book."""

    id: str
    """``oneill-<file>-<X>``, ``aird-<file>-<X>`` or ``ryan-<file>``."""
    book: str
    tune: AbcTune

    def to_line(self) -> CorpusLine:
        """Convert it to a line of a corpus file."""
        return line_from_abc(self.id, self.book, self.tune)


@dataclass(frozen=True, slots=True)
class FolkBooks:
    """Tunes in the order of book, file and place in the file."""

    tunes: tuple[FolkTune, ...]
    rejected: tuple[RejectedItem, ...]
    """Tunes that are left out, by id."""
    uneven: Mapping[str, str]
    """Ids of tunes with bars of irregular length, and which bars."""


def read_held_out(path: Path) -> frozenset[str]:
    """Read the ids in the list ``held_out`` of a JSON file.

    Raises:
        UnreadableScore: when there is no such file or list.
    """
    try:
        content = msgspec.json.decode(path.read_bytes())
        return msgspec.convert(content["held_out"], frozenset[str])
    except (OSError, TypeError, KeyError, msgspec.MsgspecError) as error:
        raise UnreadableScore(
            f"the list of held-out tunes {path.name} cannot be read ({error})",
            'it holds {"held_out": ["oneill-0001-0050-1", ...]}',
        ) from error


def read_folk_books(
    held_out: frozenset[str] | Path, *, only_held_out: bool = False, corpus: Path | None = None
) -> FolkBooks:
    """Read the tunes of the three books.

    Args:
        held_out: ids of tunes to leave out, or a JSON file of them.
        only_held_out: read only these instead.
        corpus: folder of the books, by default the one of the installed music21 package.

    Raises:
        UnreadableScore: when the books are not there, or the list of ids cannot be read.
    """
    ids = read_held_out(held_out) if isinstance(held_out, Path) else held_out
    tunes: list[FolkTune] = []
    rejected: list[RejectedItem] = []
    uneven: dict[str, str] = {}
    for book, id_, text in _read_texts(corpus or find_music21_corpus()):
        if (id_ in ids) is not only_held_out:
            continue
        try:
            tune = read_tune(text)
        except MstError as error:
            rejected.append(RejectedItem(id_, str(error)))
            continue
        reason = _exclusion_reason(tune)
        if reason:
            rejected.append(RejectedItem(id_, reason))
            continue
        if tune.irregular_measures:
            uneven[id_] = _describe_uneven_bars(tune)
        tunes.append(FolkTune(id_, book, tune))
    return FolkBooks(tuple(tunes), tuple(rejected), uneven)


def find_music21_corpus() -> Path:
    """Find the folder of music21's scores without importing music21.

    Raises:
        UnreadableScore: when music21 is not installed.
    """
    spec = find_spec("music21")
    folders = (spec.submodule_search_locations if spec else None) or ()
    for folder in folders:
        corpus = Path(folder) / "corpus"
        if corpus.is_dir():
            return corpus
    raise UnreadableScore("the folk books were not found", "install the package music21")


def _read_texts(corpus: Path) -> Iterator[tuple[str, str, str]]:
    """Yield book, id and ABC text of each tune."""
    for book, folder in BOOKS.items():
        files = sorted((corpus / folder).glob("*.abc"))
        if not files:
            raise UnreadableScore(f"no ABC files are in {folder}", "install the package music21")
        for file in files:
            stem = re.sub(r"[^a-z0-9]", "-", file.stem.lower())
            for text in split_tunes(file.read_text(encoding="utf-8")):
                number = _NUMBER.search(text)
                # Each file of Ryan's book has one tune, and most of them are numbered 1.
                suffix = f"-{number[1]}" if number and book != "ryan" else ""
                yield book, f"{book}-{stem}{suffix}", text


def _exclusion_reason(tune: AbcTune) -> str:
    """Say why a tune cannot be a line of the corpus; empty when it can."""
    if tune.meter is None:
        return "it has no meter"
    if tune.declared_voices > 1:
        return f"it is written for {tune.declared_voices} voices"
    return ""


def _describe_uneven_bars(tune: AbcTune) -> str:
    uneven = tune.irregular_measures
    first = tune.unrepeated_measures[uneven[0]]
    others = f" and {len(uneven) - 1} more" if len(uneven) > 1 else ""
    return f"measure {uneven[0] + 1}{others} holds {first.length} quarters in {first.meter}"


LAST_AIR = 625
"""Number of the last tune of "Airs and Songs", the first part of O'Neill's book."""
_AIR = re.compile(r"oneill-\d{4}-\d{4}.*-(\d+)")
_DANCE = re.compile(r"reel|jig|hornpipe|march|slide", re.IGNORECASE)
_STRATHSPEY = re.compile(r"strath?s?p|strathsy|\bfling", re.IGNORECASE)


def is_air(folk: FolkTune) -> bool:
    """Whether it is one of O'Neill's airs and songs, not called a dance."""
    match = _AIR.fullmatch(folk.id)
    dance = _DANCE.search(folk.tune.rhythm or "")
    return match is not None and int(match[1]) <= LAST_AIR and dance is None


def is_strathspey(folk: FolkTune) -> bool:
    """Whether its book calls it a strathspey, or a highland fling, which has the same snap."""
    words = f"{folk.tune.title} {folk.tune.rhythm or ''}"
    return _STRATHSPEY.search(words) is not None


TUNE_KINDS: Mapping[str, Callable[[FolkTune], bool]] = {
    "air": is_air,
    "strathspey": is_strathspey,
}
"""Kinds of tunes among the books that can be a style of their own."""
