"""Test data: real tunes that no network was trained on.

They come from named corpus files, else from the music21 package: of its folk books the tunes that
training leaves out, of its chorales the validation and test parts. A file may name its style
(``jazz=solos.jsonl``); otherwise the style is inferred from the file's name or its rhythms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from mst_core.corpora.chorales import read_chorales
from mst_core.corpora.files import RejectedItem
from mst_core.corpora.folk_books import TUNE_KINDS, read_folk_books
from mst_core.corpora.tunes import CorpusTune, parse_tune, read_tunes
from mst_core.corpora.variants import add_clusters
from mst_core.errors import BadOption
from mst_core.evaluation.rhythm_features import RhythmSequence, jensen_shannon, position_durations
from mst_core.statistics.style_statistics import StyleStatistics
from mst_core.training.train_style import CorpusSplit

MIN_EVENTS = 2
"""Events that a tune needs."""


def load_test_tunes(
    corpora: Sequence[str],
    styles: Iterable[str],
    models: Path,
    part: Literal["validation", "test"] | None = None,
) -> dict[str, tuple[CorpusTune, ...]]:
    """Read the test tunes of several styles.

    Args:
        corpora: files as ``FILE`` or ``STYLE=FILE``.
        styles: names of the styles.
        models: folder of the styles.
        part: of each style's files, as training divides them; None for all tunes.

    Returns:
        Tunes by style. A style without a file has the tunes that music21 ships, or none.

    Raises:
        BadOption: when a file is not there.
        UnreadableScore: naming file and line of what is not a tune.
    """
    known = tuple(styles)
    found: dict[str, list[CorpusTune]] = {}
    for named in corpora:
        style, path = _parse_corpus_option(named, known)
        tunes = _with_events(read_tunes([path]))
        name = style or _infer_style(path, tunes, known, models)
        found.setdefault(name, []).extend(tunes)
    if part is not None:
        found = {
            style: list(getattr(CorpusSplit.by_cluster(found[style]), part)) for style in found
        }
    for style in known:
        if style not in found and (shipped := shipped_tunes(style, models)):
            found[style] = list(shipped)
    return {style: tuple(found.get(style, ())) for style in known}


def load_style_tunes(corpora: Sequence[str], style: str, models: Path) -> tuple[CorpusTune, ...]:
    """Read the test tunes of one style.

    Args:
        corpora: files as ``FILE`` or ``STYLE=FILE``; empty takes what music21 ships.
        style: name of the style.
        models: folder of the styles.

    Raises:
        BadOption: when a file is not there, or there are no tunes.
        UnreadableScore: naming file and line of what is not a tune.
    """
    paths = [path for named in corpora for name, path in [_parse_corpus_option(named, (style,))]]
    tunes = _with_events(read_tunes(paths)) if corpora else shipped_tunes(style, models)
    if not tunes:
        raise BadOption("corpus", ", ".join(corpora) or "none", f"give tunes of {style}")
    return tunes


def shipped_tunes(style: str, models: Path) -> tuple[CorpusTune, ...]:
    """Return tunes of the music21 package that the style was not trained on; often none.

    Args:
        style: name of a style; chorale, folk and kinds of folk tunes have test tunes.
        models: folder of the styles; its ``folk/held_out.json`` names the tunes of folk.

    Raises:
        UnreadableScore: when music21 has no chorales or folk books.
    """
    if style == "chorale":
        return _held_out_chorales()
    held_out = models / "folk" / "held_out.json"
    if style not in ("folk", *TUNE_KINDS) or not held_out.exists():
        return ()
    books = read_folk_books(held_out, only_held_out=True)
    kept = (tune for tune in books.tunes if style == "folk" or TUNE_KINDS[style](tune))
    return _with_events(parse_tune(dict(tune.to_line())) for tune in kept)


def _held_out_chorales() -> tuple[CorpusTune, ...]:
    """Return the validation and test parts of the chorales."""
    lines = add_clusters([line for line in read_chorales() if not isinstance(line, RejectedItem)])
    split = CorpusSplit.by_cluster([parse_tune(line) for line in lines])
    return _with_events((*split.validation, *split.test))


def _with_events(tunes: Iterable[CorpusTune]) -> tuple[CorpusTune, ...]:
    return tuple(tune for tune in tunes if len(tune.events) >= MIN_EVENTS)


def _parse_corpus_option(named: str, styles: Sequence[str]) -> tuple[str | None, Path]:
    style, equals, rest = named.partition("=")
    path = Path(rest) if equals and style in styles else Path(named)
    if not path.is_file():
        raise BadOption("corpus", named, "name a file, or STYLE=FILE")
    return (style if equals and style in styles else None), path


def _infer_style(
    path: Path, tunes: Sequence[CorpusTune], styles: Sequence[str], models: Path
) -> str:
    """Return the style that the file's name begins with, else that of the nearest rhythms."""
    for style in sorted(styles, key=len, reverse=True):
        if path.stem.startswith(style):
            return style
    own = position_durations(RhythmSequence.from_corpus(tune) for tune in tunes)

    def distance(style: str) -> float:
        meters = StyleStatistics.load(models / style).meters.values()
        theirs: Counter[tuple[int, int]] = Counter()
        for meter in meters:
            for rhythm in meter.rhythm_counts:
                theirs[rhythm.position, rhythm.duration] += rhythm.notes
        return jensen_shannon(own, theirs)

    return min(styles, key=distance)
