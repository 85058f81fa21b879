"""Build the receipt of a job from its composition.

A module of its own because a receipt is written under the fixed JSON keys of `mst --json` and the
bot's database: whoever adds a measurement adds it to `SideResult`, to `Receipt` and here.
"""

from __future__ import annotations

from collections.abc import Iterator

from mst_core import __version__
from mst_core.generation.composition import Composition
from mst_core.jobs import MAX_CANDIDATES, MAX_RECEIPT_TUNES, Receipt
from mst_core.music import Melody
from mst_core.reading.parsed_score import ParsedScore
from mst_core.requests import Compose, Request
from mst_core.sound.repeats import played_seconds

_TEMPO_CHANGES = "The tempo changes"
"""Beginning of the sentence about a tempo map; that of the result replaces that of the file."""


def make_receipt(
    request: Request,
    composition: Composition,
    source_title: str = "",
    source: ParsedScore | None = None,
    *,
    repeats: bool = True,
    pages: int | None = None,
) -> Receipt:
    """Return the receipt of a finished composition.

    Args:
        request: the request that the composition answers.
        composition: the result of composing or transfer.
        source_title: title of the given tune, or of both; empty for a new tune.
        source: the file of a transfer; its other parts and tunes are named, so that a person can
            choose another.
        repeats: whether the audio plays the repeats of the score.
        pages: pages of the score, where not all of them were made.
    """
    melody = composition.melody
    rhythm, pitch, measured = composition.rhythm, composition.pitch, composition.measured_side
    return Receipt(
        pitch=request.styles.get("pitch", ""),
        rhythm=request.styles.get("rhythm", ""),
        seed=request.seed,
        key=melody.key.name,
        meter=str(melody.meter),
        tempo=round(melody.tempo, 2),
        bars=request.bars if isinstance(request, Compose) else melody.bar_count,
        notes=len(melody.notes),
        form=composition.form,
        seconds=round(played_seconds(melody, composition.parts, repeats=repeats), 2),
        version=__version__,
        source=source_title,
        rhythm_strength=request.strengths.get("rhythm"),
        rhythm_changed=_rounded(rhythm.changed if rhythm else None),
        rhythm_similarity=_rounded(rhythm.similarity if rhythm else None),
        pitch_strength=request.strengths.get("pitch"),
        pitch_changed=_rounded(pitch.changed if pitch else None),
        pitch_similarity=_rounded(pitch.similarity if pitch else None),
        repeats=composition.repeats,
        rank_among=measured.rank_among if measured else None,
        longest_shared_run=measured.longest_shared_run if measured else None,
        p95_shared_run=measured.p95_shared_run if measured else None,
        warnings=(
            *(each for each in composition.warnings if not each.startswith(_TEMPO_CHANGES)),
            *_describe_tempos(melody),
        ),
        track=source.track if source else None,
        candidates=_list_candidates(source) if source else (),
        tune=source.tune if source else None,
        tunes=_list_tunes(source) if source else (),
        pages=pages,
    )


def _list_candidates(source: ParsedScore) -> tuple[tuple[int, str], ...]:
    """Return number and name of the parts that may be the melody; nothing for a single one."""
    best = source.candidates[:MAX_CANDIDATES]
    return tuple((part.number, part.name) for part in best) if len(best) > 1 else ()


def _list_tunes(source: ParsedScore) -> tuple[tuple[int, str], ...]:
    """Return number and title of the tunes of a book, around the one taken."""
    if len(source.tunes) < 2:
        return ()
    taken = (source.tune or 1) - 1
    last = len(source.tunes) - MAX_RECEIPT_TUNES
    first = max(0, min(taken - MAX_RECEIPT_TUNES // 2, last))
    shown = source.tunes[first : first + MAX_RECEIPT_TUNES]
    return tuple(enumerate(shown, start=first + 1))


def _describe_tempos(melody: Melody) -> Iterator[str]:
    """Yield the range of tempos, in quarter notes, where the tempo changes."""
    tempos = [round(change.tempo) for change in melody.tempo_changes]
    if tempos and min(tempos) != max(tempos):
        yield (
            f"{_TEMPO_CHANGES}: {min(tempos)} to {max(tempos)} quarter notes a minute, mostly "
            f"{round(melody.tempo)}."
        )


def _rounded(share: float | None) -> float | None:
    """Return a share with four decimals."""
    return None if share is None else round(share, 4)
