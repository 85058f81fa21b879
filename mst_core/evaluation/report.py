"""The table: what was measured, as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mst_core.evaluation.bootstrap import Estimate
from mst_core.evaluation.retrieval import RetrievalResult, chance_reciprocal_rank
from mst_core.evaluation.transfer_eval import DirectionResult, StrengthSummary

COLUMNS = {
    # figure: heading
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
    "strange": "strange",
    "run": "run",
    "copied": "copied",
}
LEGEND = (
    "repeats: pairs of identical bars still identical; precise: pairs identical after that were "
    "before; barlines, phrases: with an onset as before; length: difference; D: notes changed; "
    "S: closeness to real tunes; gap: share of the way from source to real tunes, by two judges; "
    "entropy: bits of durations above real tunes; strange: notes as no player writes them; run: "
    "longest run shared with a real tune; copied: tunes whose run is above the 95th percentile "
    "of real ones. In brackets 95 % of samples of as many tunes."
)


def direction_lines(way: DirectionResult) -> Iterator[str]:
    """The figures of one way, a line at a time."""
    yield f"{way.source} to {way.target}: {way.tunes} tunes" + (
        f", {way.refused} refused" if way.refused else ""
    )
    yield _table_row("", COLUMNS.values())
    for row in way.rows:
        yield _table_row(row.name, (_format_mean(row.figures.get(name)) for name in COLUMNS))
    spread = [
        f"{COLUMNS[name]} {_format_interval(figure)}"
        for name in (
            "repeats",
            "precision",
            "barlines",
            "closure by 3-gram",
            "closure by regression",
            "entropy",
        )
        if (figure := way.rows[-1].figures.get(name))
    ]
    yield f"  {way.rows[-1].name}: " + ", ".join(spread)
    if way.entropy_of_real is not None:
        entropy = f"entropy {way.entropy_of_real:.2f} bits"
        yield f"  real {way.target}: {entropy}, run {way.usual_run:.0f}"
    if way.knob:
        yield from _curve_lines(way.knob)


def retrieval_lines(finding: RetrievalResult) -> Iterator[str]:
    """Who finds the target again, a line at a time."""
    yield (
        f"one tune of {finding.style} among {finding.targets} (mean reciprocal rank, chance "
        f"{chance_reciprocal_rank(finding.targets):.3f})"
    )
    for name, figure in finding.rows.items():
        yield f"  {name:<22} {'-' if figure is None else _format_interval(figure)}"
    if finding.way:
        yield f"  share of the way from genre only to copied: {_format_interval(finding.way)}"


def _curve_lines(knob: StrengthSummary) -> Iterator[str]:
    zero = "" if knob.exact_at_zero is None else f"{knob.exact_at_zero.mean:.0%} exact at 0, "
    yield (
        f"  knob: {zero}{knob.falls_of_change} falls of D, {knob.falls_of_closeness} of S "
        f"(the deepest {knob.deepest_fall:.3f}), "
        f"largest jump {knob.largest_jump:.2f}, {knob.leaping:.0%} of turns leap, repeats kept at "
        "every strength "
        f"{'-' if knob.fewest_repeats is None else _format_interval(knob.fewest_repeats)}"
    )
    for judge, order in knob.order.items():
        mean = "-" if order is None else _format_interval(order)
        curve = f"{knob.order_of_mean[judge]:.3f} of the mean curve"
        yield f"  knob by {judge}: Spearman {curve}, {mean} a tune"


def _table_row(name: str, cells: Iterable[str]) -> str:
    return f"  {name:<19}" + "".join(f"{cell:>11}" for cell in cells)


def _format_mean(figure: Estimate | None) -> str:
    return "-" if figure is None else f"{figure.mean:.3f}"


def _format_interval(figure: Estimate) -> str:
    return f"{figure.mean:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
