"""The command line as a program: its commands, and how it ends."""

from __future__ import annotations

import os
import sys

import typer

from pipeline.commands.app import EXIT_USAGE, app
from pipeline.errors import AssayError

__all__ = ["app", "main"]
EXIT_INTERRUPTED = 130


def main() -> None:
    """Run the command line; mistakes of the user are one line, not a traceback."""
    # The bars of libraries would break ours; tqdm reads this when it is imported.
    os.environ.setdefault("TQDM_DISABLE", "1")
    try:
        app(standalone_mode=True)
    except AssayError as error:
        typer.secho(f"assay: {error}", err=True, fg=typer.colors.RED)
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        _stop()
    except SystemExit as end:
        if end.code != EXIT_INTERRUPTED:
            raise
        _stop()


def _stop() -> None:
    """End at once: workers may hold half a batch, and the interpreter would wait for them, perhaps for ever."""
    sys.stderr.write("assay: stopped; run again to go on\n")
    sys.stderr.flush()
    os._exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
