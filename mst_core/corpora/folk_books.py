"""The folk corpus, made from the ABC files that the ``music21`` package ships.

Three books of dances: Aird's Airs (1778-1801), O'Neill's Music of Ireland (1903) and Ryan's Mammoth
Collection (1883). music21 itself is not started, only its folder is looked up; `mst_core.score`
reads the files. Tunes that are held out for measuring are left out, or read alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import msgspec

from mst_core.errors import MstError, UnreadableScore
from mst_core.reading.abc.read import read_tune, split_tunes
from mst_core.reading.abc.tune import AbcTune

BOOKS = {"aird": "airdsAirs", "oneill": "oneills1850", "ryan": "ryansMammoth"}
"""Folder of each book below music21's corpus."""
_NUMBER = re.compile(r"^X:[ \t]*(\S*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FolkTune:
    """A tune of a book with its id: ``oneill-<file>-<X>``, ``aird-<file>-<X>``, ``ryan-<file>``."""

    id: str
    book: str
    tune: AbcTune

    def to_line(self) -> dict[str, object]:
        """The tune as an object of a corpus file; times in quarter notes as exact fractions."""
        tune = self.tune
        starts = [str(start) for start in tune.measure_onsets]
        return {
            "id": self.id,
            "title": tune.title,
            "source": self.book,
            "rhythm": tune.rhythm,
            "meter": str(tune.meter),
            "meter_changes": bool(tune.meter_changes),
            "key": tune.key_name,
            "notes": [[e.pitch, str(e.onset), str(e.duration)] for e in tune.events],
            "bars": len(starts),
            "bar_starts": starts,
            "pickup": str(tune.pickup),
            "bars_ok": not tune.irregular_measures,
            "repeats_expanded": False,
        }


@dataclass(frozen=True, slots=True)
class TuneIssue:
    """Why a tune was left out, or what is odd about one that was not."""

    id: str
    reason: str
    left_out: bool


@dataclass(frozen=True, slots=True)
class FolkBooks:
    """Tunes in the order of book, file and place in it; and what was not read without doubt."""

    tunes: tuple[FolkTune, ...]
    issues: tuple[TuneIssue, ...]


class _HeldOut(msgspec.Struct):
    held_out: frozenset[str]


def read_held_out(path: Path) -> frozenset[str]:
    """Read the ids below ``held_out`` in a JSON file.

    Raises:
        UnreadableScore: when it is not there, or no such list.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=_HeldOut).held_out
    except (OSError, msgspec.MsgspecError) as error:
        raise UnreadableScore(
            f"the list of held-out tunes {path.name} cannot be read ({error})",
            'it holds {"held_out": ["oneill-0001-0050-1", ...]}',
        ) from error


def read_folk_books(
    held_out: frozenset[str] | Path, *, only_held_out: bool = False, corpus: Path | None = None
) -> FolkBooks:
    """Read every tune of the three books but those held out, or, on demand, only those.

    ``corpus`` is the folder of the books, by default the one in the installed music21 package.

    Raises:
        UnreadableScore: when the books are not there, or the list of ids cannot be read.
    """
    apart = read_held_out(held_out) if isinstance(held_out, Path) else held_out
    tunes: list[FolkTune] = []
    doubts: list[TuneIssue] = []
    for book, id_, text in _read_texts(corpus or find_music21_corpus()):
        if (id_ in apart) is not only_held_out:
            continue
        try:
            tune = read_tune(text)
        except MstError as error:
            doubts.append(TuneIssue(id_, str(error), left_out=True))
            continue
        reason = _exclusion_reason(tune)
        if reason:
            doubts.append(TuneIssue(id_, reason, left_out=True))
            continue
        uneven = tune.irregular_measures
        if uneven:
            doubts.append(TuneIssue(id_, _describe_uneven_bars(tune, uneven), left_out=False))
        tunes.append(FolkTune(id_, book, tune))
    return FolkBooks(tuple(tunes), tuple(doubts))


def find_music21_corpus() -> Path:
    """Find the folder with music21's scores without starting music21.

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


def write_jsonl(path: Path, tunes: Iterable[FolkTune]) -> None:
    """Write one JSON object a line, as `mst_core.corpora.tunes` reads them."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for tune in tunes:
            file.write(json.dumps(tune.to_line(), ensure_ascii=False, separators=(",", ":")) + "\n")


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
                # Each file of Ryan's book holds one tune, and most of them call it number 1.
                place = f"-{number[1]}" if number and book != "ryan" else ""
                yield book, f"{book}-{stem}{place}", text


def _exclusion_reason(tune: AbcTune) -> str:
    if tune.meter is None:
        return "it has no meter"
    if tune.declared_voices > 1:
        return f"it is written for {tune.declared_voices} voices"
    return ""


def _describe_uneven_bars(tune: AbcTune, uneven: tuple[int, ...]) -> str:
    first = tune.unrepeated_measures[uneven[0]]
    others = f" and {len(uneven) - 1} more" if len(uneven) > 1 else ""
    return f"measure {uneven[0] + 1}{others} holds {first.length} quarters in {first.meter}"


# Kinds of tunes among the folk books, each a style of its own: slow airs, and strathspeys.
#
# An air is a tune of the first part of O'Neill's Music of Ireland, "Airs and Songs", numbers 1 to
# 625. A strathspey is what its book calls so, or a highland fling, its sister; its mark is the
# Scotch
# snap, a short note on the beat before a long one.

LAST_AIR = 625
_AIR = re.compile(r"oneill-\d{4}-\d{4}.*-(\d+)")
_DANCE = re.compile(r"reel|jig|hornpipe|march|slide", re.IGNORECASE)
_STRATHSPEY = re.compile(r"strath?s?p|strathsy|\bfling", re.IGNORECASE)


def is_air(folk: FolkTune) -> bool:
    """Whether it is one of O'Neill's airs and songs."""
    match = _AIR.fullmatch(folk.id)
    danced = _DANCE.search(folk.tune.rhythm or "")
    return match is not None and int(match[1]) <= LAST_AIR and danced is None


def is_strathspey(folk: FolkTune) -> bool:
    """Whether its book calls it a strathspey or a fling."""
    words = f"{folk.tune.title} {folk.tune.rhythm or ''}"
    return _STRATHSPEY.search(words) is not None


TUNE_KINDS: Mapping[str, Callable[[FolkTune], bool]] = {"air": is_air, "strathspey": is_strathspey}
