"""Who computes a workload: we, and each peer that is installed."""

from __future__ import annotations

import importlib
from typing import Any

from harness import MissingError, Subject, note


def subjects(module: str, function: str, *arguments: Any, **options: Any) -> list[Subject]:
    """Ask a module of this folder for its subjects; a missing package has none, and that is said once."""
    try:
        found = importlib.import_module(f"peer_runners.{module}")
        made: list[Subject] = getattr(found, function)(*arguments, **options)
    except MissingError as problem:
        note(str(problem))
        return []
    return made
