"""``mst``, the command line: its commands, and how every error ends.

An error that the user can correct: one line and exit status 2. Any other error: one line, exit
status 1, and a log file with the traceback.
"""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click

from mst_core import __version__
from mst_core.cli import (
    completion,
    compose,
    corpus,
    evaluate,
    fingerprint,
    inspect,
    mashup,
    rerhythm,
    styles,
    train,
    transfer,
)
from mst_core.cli.errors import report_error

COMMANDS = {
    "Make music": (compose.command, transfer.command, rerhythm.command, mashup.command),
    "Look up": (styles.command, inspect.command),
    "Train a style": (corpus.command, train.command, evaluate.command, fingerprint.command),
    "Set up your shell": (completion.command,),
}
_OLD_NAMES = {"read": "inspect", "echoes": "fingerprint"}
"""Names of version 0.1, which still work but are not listed."""
_MAX_LINE_LENGTH = 100  # characters
_EXAMPLES = """\b
A new folk tune, to listen to:
    mst compose folk -o tune.mp3

\b
A tune of yours with the rhythm of jazz, as a score and as sound:
    mst rerhythm tune.mid --rhythm jazz -o jazzed.png -o jazzed.mp3

\b
The same tune with a jazz melody and its own rhythm:
    mst transfer tune.mid --pitch jazz -o melody.mp3

\b
Every tune of a folder, half changed and fully changed:
    mst rerhythm tunes/*.mid --rhythm jazz --strength 0.5,1 --out-dir jazzed

\b
Every command has help and an example:
    mst rerhythm --help
"""


class MstGroup(click.Group):
    """A group of commands that ends every error with one line on standard error."""

    def main(self, *arguments: Any, **settings: Any) -> NoReturn:
        """Run a command and exit with its status."""
        try:
            status = super().main(
                *arguments, **settings | {"prog_name": "mst", "standalone_mode": False}
            )
        except click.exceptions.Abort:
            sys.exit(130)  # the status of shells after Ctrl-C
        except Exception as error:
            sys.exit(report_error(error))
        sys.exit(status if isinstance(status, int) else 0)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name or its old name.

        Args:
            ctx: the context of the running program.
            cmd_name: what the user typed.

        Returns:
            The command; None when no command has the name.
        """
        return super().get_command(ctx, _OLD_NAMES.get(cmd_name, cmd_name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands under the headings of `COMMANDS`.

        Args:
            ctx: the context of the running program; not used.
            formatter: the help text, to which the lists are added.
        """
        for heading, commands in COMMANDS.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [
                        (command.name or "", command.get_short_help_str(_MAX_LINE_LENGTH))
                        for command in commands
                    ]
                )


@click.group(
    cls=MstGroup,
    epilog=_EXAMPLES,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="mst", message="%(prog)s %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Compose tunes, and change the melody or the rhythm of a tune to another style."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for _commands in COMMANDS.values():
    for _command in _commands:
        main.add_command(_command)

if __name__ == "__main__":
    main()
