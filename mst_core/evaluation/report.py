"""Formats evaluation results as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mst_core.evaluation.bootstrap import Estimate
from mst_core.evaluation.comparison import comparison_lines
from mst_core.evaluation.retrieval import RetrievalResult, chance_reciprocal_rank
from mst_core.evaluation.transfer_eval import DirectionResult, StrengthSummary

COLUMNS = {
    # metric: heading
    "repeats": "repeats",
    "precision": "precise",
    "barlines": "barlines",
    "phrases": "phrases",
    "length": "length",
    "pickup": "pickups",
    "changed": "D",
    "close": "S",
    "closure by 3-gram": "gap 3-gram",
    "closure by regression": "gap regr.",
    "entropy": "entropy",
    "strange": "unseen",
    "run": "run",
    "copied": "copied",
}
LEGEND = (
    "repeats: pairs of identical bars that stay identical; precise: identical pairs of the result "
    "that were identical before; barlines, phrases: starts that keep an onset; length: relative "
    "change; D: share of notes changed; S: similarity to real tunes; gap: share of the gap between "
    "source and real tunes that is closed, by two classifiers; entropy: bits of durations above "
    "real tunes; unseen: share of notes that no real tune has; run: longest run shared with a real "
    "tune; copied: tunes whose run is above the 95th percentile of real ones. In brackets: 95 % "
    "bootstrap intervals over tunes."
)


def direction_lines(result: DirectionResult) -> Iterator[str]:
    """Format the results of one direction."""
    yield f"{result.source} to {result.target}: {result.tunes} tunes" + (
        f", {result.refused} refused" if result.refused else ""
    )
    yield _table_row("", COLUMNS.values())
    for row in result.rows:
        yield _table_row(row.name, (_format_mean(row.estimates.get(name)) for name in COLUMNS))
    last = result.rows[-1]
    intervals = [
        f"{COLUMNS[name]} {_format_interval(estimate)}"
        for name in (
            "repeats",
            "precision",
            "barlines",
            "closure by 3-gram",
            "closure by regression",
            "entropy",
        )
        if (estimate := last.estimates.get(name))
    ]
    yield f"  {last.name}: " + ", ".join(intervals)
    if result.real_entropy is not None:
        entropy = f"entropy {result.real_entropy:.2f} bits"
        yield f"  real {result.target}: {entropy}, run {result.p95_run:.0f}"
    if result.curves:
        yield from _curve_lines(result.curves)
    yield from comparison_lines(result.naturalness, result.target)


def retrieval_lines(result: RetrievalResult) -> Iterator[str]:
    """Format the mean reciprocal ranks of the retrieval task."""
    yield (
        f"one tune of {result.style} among {result.targets} (mean reciprocal rank, chance "
        f"{chance_reciprocal_rank(result.targets):.3f})"
    )
    for name, estimate in result.rows.items():
        yield f"  {name:<22} {_format_interval(estimate)}"
    if result.share_of_way:
        share = _format_interval(result.share_of_way)
        yield f"  share of the way from genre only to copied: {share}"
    yield from comparison_lines(result.naturalness, result.style)


def _curve_lines(curves: StrengthSummary) -> Iterator[str]:
    zero = "" if curves.exact_at_zero is None else f"{curves.exact_at_zero.mean:.0%} exact at 0, "
    yield (
        f"  strength: {zero}{curves.decreases_of_changed} decreases of D, "
        f"{curves.decreases_of_similarity} of S (largest {curves.largest_decrease:.3f}), "
        f"largest jump {curves.largest_jump:.2f}, {curves.jumping_share:.0%} of curves jump, "
        f"repeats kept at every strength {_format_interval(curves.fewest_repeats)}"
    )
    for name, correlation in curves.correlation.items():
        mean = f"{curves.correlation_of_mean[name]:.3f} of the mean curve"
        yield f"  strength by {name}: Spearman {mean}, {_format_interval(correlation)} a tune"


def _table_row(name: str, cells: Iterable[str]) -> str:
    return f"  {name:<19}" + "".join(f"{cell:>11}" for cell in cells)


def _format_mean(estimate: Estimate | None) -> str:
    return "-" if estimate is None else f"{estimate.mean:.3f}"


def _format_interval(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
