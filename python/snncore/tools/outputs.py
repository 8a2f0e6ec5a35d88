"""Where the commands write."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import click


def new_file(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Refuse a place where no file can be written, before anything is run: for an option's callback."""
    if value is not None:
        path = Path(value)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), value)
        if not path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "No such folder", str(path.parent))
    return value
