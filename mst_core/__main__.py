"""``mst``, the command line: its verbs, and the one door through which errors leave.

What a person can mend: status 2 and one line. Anything else: status 1, one line, and a log file
with the whole story.
"""

from __future__ import annotations

import sys
import traceback
from tempfile import NamedTemporaryFile
from typing import Any, NoReturn

import click

from mst_core import __version__
from mst_core.commands import compose, corpus, evaluate, read, styles, train, transfer
from mst_core.errors import EngineError, MstError, SoundError


class Door(click.Group):
    """A group of verbs that ends every failure with one line on standard error."""

    def main(self, *arguments: Any, **settings: Any) -> NoReturn:
        """Run the verb that is asked for and exit."""
        try:
            status = super().main(
                *arguments, **settings | {"prog_name": "mst", "standalone_mode": False}
            )
        except click.exceptions.Abort:
            sys.exit(130)  # as a shell says of Ctrl-C
        except click.ClickException as error:
            _refuse(error.format_message(), 2)
        except (SoundError, EngineError) as error:
            _refuse(f"{error} (the whole story is in {_write_log()})", 1)
        except MstError as error:
            _refuse(str(error), 2)
        except Exception as error:
            name = type(error).__name__
            _refuse(f"this should not happen: {name}; the whole story is in {_write_log()}", 1)
        sys.exit(status if isinstance(status, int) else 0)


def _refuse(sentence: str, status: int) -> NoReturn:
    click.echo(f"error: {' '.join(sentence.split())}", err=True)
    sys.exit(status)


def _write_log() -> str:
    with NamedTemporaryFile(
        "w", prefix="mst-", suffix=".log", delete=False, encoding="utf-8"
    ) as log:
        log.write(f"mst {__version__} {sys.argv[1:]}\n\n{traceback.format_exc()}")
    return log.name


@click.group(
    cls=Door,
    epilog="\b\nA new folk tune, to listen to:\n    mst compose folk -o tune.mp3",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="mst", message="%(prog)s %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Compose tunes, and give a tune the melody or the rhythm of another style."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for _verb in (compose, transfer, read, styles, train, evaluate, corpus):
    main.add_command(_verb.command)

if __name__ == "__main__":
    main()
