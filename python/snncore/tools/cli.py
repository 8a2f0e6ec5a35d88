"""`snncore` on the command line: exit status 0, or 2 with one sentence on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has gone: `snncore inspect | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("SNNCORE_TRACEBACK"):
            raise
        from .common import one_sentence

        return _fail(one_sentence(error))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        import click
        import rich  # noqa: F401 - the commands print with it
    except ModuleNotFoundError as missing:
        return _fail(f"the command line needs the package '{missing.name}': pip install 'snncore[cli]'")
    from .group import group

    try:
        group.main(
            args=None if arguments is None else list(arguments), prog_name="snncore", standalone_mode=False
        )
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.Abort:
        return 130
    except click.exceptions.NoArgsIsHelpError as help_wanted:
        print(help_wanted.format_message())
        return 0
    except click.ClickException as error:
        hint = ""
        if isinstance(error, click.UsageError) and error.ctx is not None:
            hint = f" (see '{error.ctx.command_path} --help')"
        return _fail(error.format_message().rstrip(".") + hint)
    return 0


def _fail(sentence: str) -> int:
    print(f"snncore: {sentence}", file=sys.stderr)
    return 2
