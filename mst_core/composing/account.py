"""What can be said of a changed tune: how near its target is, and what it shares with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mst_core.music import Melody
from mst_core.networks.style import Style
from mst_core.statistics.reference_profiles import closeness
from mst_core.statistics.shared_runs import Run
from mst_core.transfer.target import as_corpus_tune


@dataclass(frozen=True, slots=True)
class Account:
    """Figures for the receipt; None is what cannot be told."""

    closer_than: tuple[int, int] | None = None
    """Nearer to the target than so many of so many other tunes."""
    longest_copy: int | None = None
    """Notes in a row that it shares with a tune of the style, or with the target tune."""
    usual_copy: int | None = None
    """What unrelated tunes share at the most, nineteen times in twenty."""


def account_of(
    result: Melody,
    style: Style,
    like: Melody | None,
    styles: Mapping[str, Style],
    side: Literal["rhythm", "melody"],
) -> Account:
    """Hold a result against its target: one tune, or a style."""
    tune = as_corpus_tune(result)
    target = style.name if like is None else as_corpus_tune(like)
    known = {name: other.neighbours for name, other in styles.items() if other.neighbours}
    near = closeness(tune, target, known, side=side)
    run: Run | None = None
    if style.echoes is not None and isinstance(target, str):
        find = style.echoes.longest_rhythm if side == "rhythm" else style.echoes.longest_melody
        run = find(tune)
    elif style.echoes is not None and not isinstance(target, str):
        compare = (
            style.echoes.longest_rhythm_of_two
            if side == "rhythm"
            else style.echoes.longest_melody_of_two
        )
        run = compare(tune, target)
    return Account(
        None if near is None else (near.nearer, near.others),
        None if run is None else run.length,
        None if run is None else run.usual,
    )
