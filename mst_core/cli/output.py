"""What a command prints: results as text or JSON, and progress on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from mst_core.jobs import Receipt, Rendition

_MASHUP = "mashup"


@contextmanager
def progress_bar(label: str = "") -> Iterator[Callable[[str, float], None]]:
    """Show a bar on standard error while the block runs, if that is a terminal.

    Yields:
        The function that moves the bar: it takes a short text, such as the stage, and the share
        that is done, 0 to 1.
    """
    with click.progressbar(
        length=100,
        label=label,
        hidden=not sys.stderr.isatty(),
        file=sys.stderr,
        show_eta=False,
        show_percent=True,
        item_show_func=lambda text: text,
        bar_template="%(label)s%(bar)s %(info)s",
        fill_char="█",
        empty_char="·",
        width=20,
    ) as bar:

        def show(text: str, share: float) -> None:
            bar.pos = round(100 * min(1.0, share))
            bar.current_item = text
            bar.render_progress()

        yield show


def print_rendition(
    rendition: Rendition,
    files: Sequence[Path],
    warnings: Sequence[str],
    *,
    source: Path | None,
    as_json: bool,
) -> None:
    """Print a result: its description, its files, and the tune as ABC when there is no file.

    Args:
        rendition: the result.
        files: the files that were written; none prints the tune.
        warnings: the warnings of the receipt that are to be printed.
        source: the input; None for a new tune.
        as_json: print one JSON object with everything instead.
    """
    receipt = rendition.receipt
    tune = {} if files else {"abc": rendition.files["abc"].decode()}
    if as_json:
        input_file = {} if source is None else {"input": str(source)}
        written = {"files": [str(path) for path in files]}
        print_json(msgspec.to_builtins(receipt) | written | input_file | tune)
        return
    # Only the tune goes to standard output then, so that it can be piped to another program.
    aside = bool(tune)
    prefix = "" if source is None else f"{click.format_filename(source)}: "
    click.echo(prefix + describe_receipt(receipt), err=aside)
    for line in (*measured_facts(receipt), *warnings):
        click.echo(f"    {line}", err=aside)
    for path in files:
        click.echo(click.format_filename(path))
    if tune:
        click.echo(tune["abc"].rstrip("\n"))


def print_json(values: Mapping[str, Any]) -> None:
    """Print one JSON object on one line, in UTF-8 whatever the terminal."""
    line = json.dumps(values, ensure_ascii=False)
    # Bytes of a file name that are no text are escaped.
    click.echo(line.encode("utf-8", "backslashreplace"))


def describe_receipt(receipt: Receipt) -> str:
    """Return one line about a result: styles, strengths, size, key, share of changed notes."""
    form = f" ({receipt.form})" if receipt.form else ""
    shares = []
    if receipt.rhythm_strength is not None and receipt.rhythm_changed is not None:
        shares.append(f"{100 * receipt.rhythm_changed:.0f} % of the notes changed")
    if receipt.pitch_strength is not None and receipt.pitch_changed is not None:
        shares.append(f"{100 * receipt.pitch_changed:.0f} % of the pitches changed")
    change = f" ({', '.join(shares)})" if shares else ""
    sides = _describe_sides(receipt)
    seed = "" if sides == _MASHUP else f", seed {receipt.seed}"  # a mashup is deterministic
    return (
        f"{sides}: {receipt.bars} bars of {receipt.meter} in {receipt.key}{form}, "
        f"{receipt.notes} notes{change}, {receipt.seconds:.0f} s{seed}"
    )


def _describe_sides(receipt: Receipt) -> str:
    """Return the targets of a receipt with their strengths."""
    sides = []
    if receipt.pitch_strength is not None:
        melody = f"{receipt.pitch} melody" if receipt.pitch else "the other tune's melodic style"
        sides.append((melody, receipt.pitch_strength))
    if receipt.rhythm_strength is not None:
        rhythm = f"{receipt.rhythm} rhythm" if receipt.rhythm else "the other tune's rhythm"
        sides.append((rhythm, receipt.rhythm_strength))
    if not sides:
        if not receipt.pitch:
            return _MASHUP
        if receipt.pitch == receipt.rhythm:
            return receipt.pitch
        return f"{receipt.pitch} melody in {receipt.rhythm} rhythm"
    if len({strength for _, strength in sides}) == 1:
        return f"{' in '.join(side for side, _ in sides)}, strength {sides[0][1]:.2f}"
    return ", ".join(f"{side}, strength {strength:.2f}" for side, strength in sides)


def measured_facts(receipt: Receipt) -> list[str]:
    """Return a sentence for each measurement: kept repeats, similarity, longest shared run."""
    facts = []
    if receipt.repeats is not None and receipt.repeats[0]:
        repeated, kept = receipt.repeats
        facts.append(f"Repeated bars kept: {kept} of {repeated}.")
    if receipt.rank_among is not None:
        rank, others = receipt.rank_among
        facts.append(f"More like the target than {rank} of {others} other tunes.")
    if receipt.longest_shared_run is not None:
        usual = ""
        if receipt.p95_shared_run is not None:
            usual = f" (95 % of unrelated tunes: up to {receipt.p95_shared_run})"
        # The measured side is the rhythm if any of it changed: `Composition.measured_side`.
        style = receipt.rhythm if receipt.rhythm_changed else receipt.pitch
        other = "a tune of the style" if style else "the other tune"
        run = f"{receipt.longest_shared_run} notes"
        facts.append(f"Longest run shared with {other}: {run}{usual}.")
    return facts
