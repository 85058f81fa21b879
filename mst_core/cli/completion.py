"""``mst completion``: completion with the Tab key.

A module of its own because every command has one.
"""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

_EXAMPLE = """\b
Put one line into the file that your shell reads when it starts:
    bash, ~/.bashrc:    eval "$(mst completion bash)"
    zsh, ~/.zshrc:      eval "$(mst completion zsh)"
    fish, ~/.config/fish/config.fish:   mst completion fish | source
"""


@click.command("completion", epilog=_EXAMPLE)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that completes commands, options, styles and files with the Tab key."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"there is no completion for {shell}")
    completion = kind(context.find_root().command, {}, "mst", "_MST_COMPLETE")
    # The running shell is not queried: the script may be for another machine.
    click.echo(ShellComplete.source(completion))
