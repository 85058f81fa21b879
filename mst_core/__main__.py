"""``mst``, the command line: its verbs, and the one door through which errors leave.

What a person can mend: status 2 and one line. Anything else: status 1, one line, and a log file
with the whole story.
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
    "See what there is": (styles.command, inspect.command),
    "Teach it a style": (corpus.command, train.command, evaluate.command, fingerprint.command),
    "Set up your shell": (completion.command,),
}
_MAX_LINE_LENGTH = 100  # characters
_EXAMPLES = """\b
A new folk tune, to listen to:
    mst compose folk -o tune.mp3

\b
A tune of yours with the rhythm of jazz, as a score and as sound:
    mst rerhythm tune.mid --rhythm jazz -o jazzed.png -o jazzed.mp3

\b
The same tune with a jazz melody, its rhythm as it is:
    mst transfer tune.mid --pitch jazz -o melody.mp3

\b
Half the way there, and all of it, for every tune of a folder:
    mst rerhythm tunes/*.mid --rhythm jazz --strength 0.5,1 --out-dir jazzed

\b
Every verb has help and an example of its own:
    mst rerhythm --help
"""


class MstGroup(click.Group):
    """A group of verbs that ends every failure with one line on standard error."""

    def main(self, *arguments: Any, **settings: Any) -> NoReturn:
        """Run the verb that is asked for and exit."""
        try:
            status = super().main(
                *arguments, **settings | {"prog_name": "mst", "standalone_mode": False}
            )
        except click.exceptions.Abort:
            sys.exit(130)  # as a shell says of Ctrl-C
        except Exception as error:
            sys.exit(report_error(error))
        sys.exit(status if isinstance(status, int) else 0)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs by what they are for."""
        for heading, verbs in COMMANDS.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [(verb.name or "", verb.get_short_help_str(_MAX_LINE_LENGTH)) for verb in verbs]
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
    """Compose tunes, and give a tune the melody or the rhythm of another style."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for _verbs in COMMANDS.values():
    for _verb in _verbs:
        main.add_command(_verb)
main.add_command(fingerprint.command, "echoes")  # its old name, not listed

if __name__ == "__main__":
    main()
