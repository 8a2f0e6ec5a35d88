#!/usr/bin/env python3
"""Make docs/performance.md and its plot from what bench/peers.py and bench_limits have measured.

    python bench/report.py bench/results/avx2.json

Beside `avx2.json` lies `avx2.limits.json`, the output of `bench_limits --threads 1,2 --json`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from chapters import INTRODUCTION, chapter

ROOT = Path(__file__).parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", nargs="*", type=Path, help="default: all in bench/results")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "performance.md")
    arguments = parser.parse_args()
    paths = arguments.results or sorted(
        p for p in (ROOT / "bench" / "results").glob("*.json") if not p.name.endswith(".limits.json")
    )
    if not paths:
        print("report: there are no results; `make measure` makes some", file=sys.stderr)
        return 2
    runs = [(json.loads(path.read_text()), limits_beside(path)) for path in paths]
    image = arguments.output.parent / "img" / "performance.png"
    drawn = draw(runs[-1], image)
    text = INTRODUCTION + "\n".join(chapter(run, limits) for run, limits in runs)
    if drawn:
        text = text.replace(
            "<!-- plot -->",
            f"![Time of each workload: ours, the strongest peer, the machine's limit](img/{image.name})",
        )
    arguments.output.write_text(text.replace("<!-- plot -->\n\n", ""))
    return 0


def limits_beside(path: Path) -> list[dict[str, Any]]:
    """Give the limits measured on the same machine, or none."""
    beside = path.with_name(path.stem + ".limits.json")
    if not beside.exists():
        print(f"report: {beside.name} is missing; there will be no shares of limits", file=sys.stderr)
        return []
    found: list[dict[str, Any]] = json.loads(beside.read_text())["results"]
    return found


def draw(run: tuple[dict[str, Any], list[dict[str, Any]]], image: Path) -> bool:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        print("report: matplotlib is missing; there will be no plot", file=sys.stderr)
        return False
    from plot import plot

    image.parent.mkdir(parents=True, exist_ok=True)
    plot(*run, image)
    return True


if __name__ == "__main__":
    sys.exit(main())
