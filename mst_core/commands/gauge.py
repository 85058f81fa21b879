"""How far a long measuring is, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click


def gauge() -> Callable[[str, float], None]:
    """A line that is written over on standard error, and nothing where that is no terminal."""
    if not sys.stderr.isatty():
        return lambda what, share: None

    def tell(what: str, share: float) -> None:
        click.echo(f"\r{what:<40} {share:>4.0%}", err=True, nl=False)

    return tell
