"""Where real tunes to judge by come from: files that are named, else what music21 ships.

What is judged by must not have been trained on, so of the folk books only the tunes count that
training leaves out. A file may name its style (``jazz=solos.jsonl``); else its name tells, or the
style whose rhythms are nearest to its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from mst_core.errors import BadOption
from mst_core.judging.rhythm import Rhythm, divergence, profile_of
from mst_core.networks.corpus import CorpusTune, parse_tune, read_tunes
from mst_core.networks.folk_books import read_folk_books
from mst_core.networks.habits import Habits

FEWEST_EVENTS = 2

RealTunes = dict[str, tuple[CorpusTune, ...]]
"""Real tunes by the name of their style."""


def gather(corpora: Sequence[str], styles: Iterable[str], models: Path) -> RealTunes:
    """Read the named corpora; a style that none of them has takes what music21 ships, if anything.

    Raises:
        BadOption: when a file is not there.
        UnreadableScore: naming file and line of what is not a tune.
    """
    known = tuple(styles)
    found: dict[str, list[CorpusTune]] = {}
    for named in corpora:
        style, path = _split(named, known)
        tunes = [tune for tune in read_tunes([path]) if len(tune.events) >= FEWEST_EVENTS]
        name = style or _style_of(path, tunes, known, models)
        found.setdefault(name, []).extend(tunes)
    for style in known:
        if style not in found and (shipped := shipped_tunes(style, models)):
            found[style] = list(shipped)
    return {style: tuple(found[style]) for style in known if found.get(style)}


def gather_style(corpora: Sequence[str], style: str, models: Path) -> tuple[CorpusTune, ...]:
    """The tunes of the named corpora as those of one style, else what music21 ships of it.

    Raises:
        BadOption: when a file is not there, or there are no tunes.
        UnreadableScore: naming file and line of what is not a tune.
    """
    paths = [path for named in corpora for name, path in [_split(named, (style,))]]
    found = [tune for tune in read_tunes(paths) if len(tune.events) >= FEWEST_EVENTS]
    tunes = tuple(found) if corpora else shipped_tunes(style, models)
    if not tunes:
        raise BadOption("corpus", ", ".join(corpora) or "none", f"give tunes of {style}")
    return tunes


def shipped_tunes(style: str, models: Path) -> tuple[CorpusTune, ...]:
    """Tunes of the music21 package that the style was not trained on; none for most styles."""
    held_out = models / style / "held_out.json"
    if not held_out.exists():
        return ()
    books = read_folk_books(held_out, only_held_out=True)
    tunes = (parse_tune(dict(tune.line())) for tune in books.tunes)
    return tuple(tune for tune in tunes if len(tune.events) >= FEWEST_EVENTS)


def _split(named: str, styles: Sequence[str]) -> tuple[str | None, Path]:
    style, equals, rest = named.partition("=")
    path = Path(rest) if equals and style in styles else Path(named)
    if not path.is_file():
        raise BadOption("corpus", named, "name a file, or STYLE=FILE")
    return (style if equals and style in styles else None), path


def _style_of(path: Path, tunes: Sequence[CorpusTune], styles: Sequence[str], models: Path) -> str:
    """The style that the file's name begins with, else the one with the nearest rhythms."""
    for style in sorted(styles, key=len, reverse=True):
        if path.stem.startswith(style):
            return style
    own = profile_of(Rhythm.of_tune(tune) for tune in tunes)

    def distance(style: str) -> float:
        meters = Habits.load(models / style).meters.values()
        theirs: Counter[tuple[int, int]] = Counter()
        for meter in meters:
            for rhythm in meter.rhythms:
                theirs[rhythm.place, rhythm.ticks] += rhythm.notes
        return divergence(own, theirs)

    return min(styles, key=distance)
