#!/usr/bin/env python3
"""Make docs/performance.md, the tables of docs/search.md and their plots from what has been measured.

    python bench/report.py bench/results/*/avx2.json bench/results/*/avx512.json
    python bench/report.py --search bench/results/ann.json

Of docs/performance.md, each file of bench/peers.py is a chapter with a plot of its own; each machine has a
folder of them. Beside `avx2.json` lies `avx2.limits.json`, the output of `bench_limits --threads 1,2 --json`;
`neon.counts.json` of bench/results is the output of `neon_counts.py --json`. Tables of docs/search.md are
those of bench/ann.py; `--search` makes them alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from chapters import INTRODUCTION, chapter, neon_chapter
from files import write
from neighbours.page import fill_page
from shares import Limits

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results"
SEARCH = RESULTS / "ann.json"
COUNTS = RESULTS / "neon.counts.json"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", nargs="*", type=Path, help="default: all in bench/results")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "performance.md")
    parser.add_argument("--search", type=Path, help="only this run of bench/ann.py")
    parser.add_argument("--search-page", type=Path, default=ROOT / "docs" / "search.md")
    arguments = parser.parse_args()
    if arguments.search:
        search(arguments.search, arguments.search_page)
        return 0
    paths = arguments.results or sorted(
        p for p in RESULTS.glob("*/*.json") if not p.name.endswith(".limits.json")
    )
    if not paths:
        print("report: there are no results; `make measure` makes some", file=sys.stderr)
        return 2
    performance(paths, arguments.output)
    if not arguments.results and SEARCH.exists():
        search(SEARCH, arguments.search_page)
    return 0


def performance(paths: list[Path], output: Path) -> None:
    runs = [(path, json.loads(path.read_text()), limits_beside(path)) for path in paths]
    folder = output.parent / "img"
    text = INTRODUCTION
    for path, run, limits in runs:
        image = folder / f"performance-{path.parent.name}-{path.stem}.png"
        drawn = f"img/{image.name}" if draw(run, limits, image) else None
        text += "\n" + chapter(run, limits, [other for _, other, _ in runs], drawn)
    if COUNTS.exists():
        text += "\n" + neon_chapter(json.loads(COUNTS.read_text()))
    write(output, text.rstrip("\n"))


def search(results: Path, page: Path) -> None:
    """Make the marked part of docs/search.md anew."""
    run = json.loads(results.read_text())
    drawn = has_matplotlib()
    if drawn:
        from neighbours.plot import draw_all

        draw_all(run, page.parent / "img")
    write(page, fill_page(page.read_text(), run, "img" if drawn else None).rstrip("\n"))


def limits_beside(path: Path) -> Limits:
    """Give the limits measured on the same machine, or none."""
    beside = path.with_name(path.stem + ".limits.json")
    if not beside.exists():
        print(f"report: {beside.name} is missing; there will be no shares of limits", file=sys.stderr)
        return []
    found: Limits = json.loads(beside.read_text())["results"]
    return found


def has_matplotlib() -> bool:
    if importlib.util.find_spec("matplotlib") is None:
        print("report: matplotlib is missing; there will be no plot", file=sys.stderr)
        return False
    return True


def draw(run: dict[str, Any], limits: Limits, image: Path) -> bool:
    if not has_matplotlib():
        return False
    from plot import plot

    image.parent.mkdir(parents=True, exist_ok=True)
    plot(run, limits, image)
    return True


if __name__ == "__main__":
    sys.exit(main())
