#!/usr/bin/env python3
"""Make docs/performance.md and its plot from what bench/peers.py and bench_limits have measured.

    python bench/report.py bench/results/avx2.json bench/results/avx512.json

Each file is a chapter with a plot of its own. Beside `avx2.json` lies `avx2.limits.json`, the output of
`bench_limits --threads 1,2 --json`; `neon.counts.json` there is the output of `neon_counts.py --json`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from chapters import INTRODUCTION, chapter, neon_chapter
from files import write
from shares import Limits

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", nargs="*", type=Path, help="default: all in bench/results")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "performance.md")
    arguments = parser.parse_args()
    paths = arguments.results or sorted(
        p for p in RESULTS.glob("*.json") if not p.name.endswith((".limits.json", ".counts.json"))
    )
    if not paths:
        print("report: there are no results; `make measure` makes some", file=sys.stderr)
        return 2
    runs = [(path.stem, json.loads(path.read_text()), limits_beside(path)) for path in paths]
    folder = arguments.output.parent / "img"
    text = INTRODUCTION
    for name, run, limits in runs:
        image = folder / f"performance-{name}.png"
        drawn = f"img/{image.name}" if draw(run, limits, image) else None
        text += "\n" + chapter(run, limits, [other for _, other, _ in runs], drawn)
    counts = paths[0].parent / "neon.counts.json"
    if counts.exists():
        text += "\n" + neon_chapter(json.loads(counts.read_text()))
    write(arguments.output, text.rstrip("\n"))
    return 0


def limits_beside(path: Path) -> Limits:
    """Give the limits measured on the same machine, or none."""
    beside = path.with_name(path.stem + ".limits.json")
    if not beside.exists():
        print(f"report: {beside.name} is missing; there will be no shares of limits", file=sys.stderr)
        return []
    found: Limits = json.loads(beside.read_text())["results"]
    return found


def draw(run: dict[str, Any], limits: Limits, image: Path) -> bool:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        print("report: matplotlib is missing; there will be no plot", file=sys.stderr)
        return False
    from plot import plot

    image.parent.mkdir(parents=True, exist_ok=True)
    plot(run, limits, image)
    return True


if __name__ == "__main__":
    sys.exit(main())
