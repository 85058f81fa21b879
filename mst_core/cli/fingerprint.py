"""``mst fingerprint``: compute what a style keeps of its tunes again.

A module of its own because every command has one. ``mst echoes`` is its old name.
"""

from __future__ import annotations

from pathlib import Path

import click

from mst_core.cli import options

_EXAMPLE = """\b
For folk, from the tunes that it was trained on:
    mst corpus folk -o folk.jsonl
    mst fingerprint folk folk.jsonl
"""


@click.command("fingerprint", epilog=_EXAMPLE)
@click.argument("style", shell_complete=options.complete_style)
@click.argument(
    "corpus",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    nargs=-1,
    required=True,
)
@options.models
def command(style: str, corpus: tuple[Path, ...], models: Path) -> None:
    """Compute what STYLE keeps of the tunes of its CORPUS again.

    These are the fingerprints, the reference profiles and the rhythms of whole bars.

    `mst train` does this at its end; this command does it without training the networks again.
    """
    from mst_core.corpora.tunes import read_tunes
    from mst_core.styles import load_style_cards, require_style
    from mst_core.training import train_style

    require_style(style, load_style_cards(models))
    usable = [tune for tune in read_tunes(corpus) if len(tune.events) >= train_style.MIN_EVENTS]
    split = train_style.CorpusSplit.by_cluster(usable)
    fingerprints = train_style.write_reference_data(models / style, split)
    rhythm, melody = fingerprints.rhythm_config, fingerprints.melody_config
    click.echo(
        f"{style}: {len(split.training)} tunes. Longest shared runs, 95th percentile: "
        f"an unrelated tune with any of them: rhythm {_steps(rhythm.p95)}, "
        f"melody {_steps(melody.p95)}; two of them: rhythm {_steps(rhythm.pair_p95)}, "
        f"melody {_steps(melody.pair_p95)}"
    )


def _steps(length: int | None) -> str:
    """Return the length of a run in words."""
    return "not measured (too few tunes)" if length is None else f"{length} steps"
