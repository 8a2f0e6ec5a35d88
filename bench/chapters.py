"""The words and tables of docs/performance.md."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

import neon_counts
import targets
from rows import Row, case_name, ours, speedup, strongest
from shares import Limits, share
from table import markdown

Run = dict[str, Any]

#: The page up to the first chapter.
INTRODUCTION = (Path(__file__).parent / "introduction.md").read_text() + "\n"


def chapter(run: Run, limits: Limits, others: list[Run], image: str | None) -> str:
    rows = run["rows"]
    parts = [f"## {run['machine']}, {run['cores']} cores, kernels `{run['isa']}`", _where(run)]
    if image:
        parts.append(f"![Each workload: our time, the peers', the machine's limit]({image})")
    parts += ["### Targets", _targets(run, limits, others), "### Summary", _summary(run, limits)]
    parts += ["### All times", markdown(rows)]
    if limits:
        parts += ["### Limits of this machine", _limits(limits)]
    return "\n\n".join(parts) + "\n"


def neon_chapter(rows: list[dict[str, Any]]) -> str:
    text = (
        "No processor with NEON was measured. These are the inner loops as they were compiled, counted by "
        "`bench/neon_counts.py`: all instructions, and those that calculate on vectors beside the fewest "
        "that the method needs. A Cortex-A72 or -A76 starts two vector instructions a cycle, and others "
        "beside them."
    )
    return f"## NEON: instructions counted\n\n{text}\n\n{neon_counts.markdown(rows)}\n"


def _where(run: Run) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    text = (
        f"Every figure of this chapter was measured on this machine, on {run['date']}, at commit "
        f"`{run['commit']}`: {versions}. "
    )
    if run["avx512"] is False:
        text += (
            "Its CPU has no AVX-512: ours and the peers' are times of code for AVX2, and say nothing about "
            "AVX-512."
        )
    limited = run.get("limited_by")
    if limited:
        names = ", ".join(f"`{name}={value}`" for name, value in limited.items())
        text += f" Kept to this level by {names}; peers that heed none of these use what the CPU has."
    load = run.get("load")
    if load is not None:
        text += f" Load of the machine when it began: {load:.1f} for {run['cores']} cores."
    return text + _quiet(run["rows"])


def _quiet(rows: list[Row]) -> str:
    """How far medians are from the fastest call: what else ran on the machine."""
    longer = sorted(row["median_ms"] / row["min_ms"] for row in rows if row["threads"] == 1)
    if not longer:
        return ""
    return (
        f" With one thread, medians are {median(longer):.2f} times the fastest call, and at least "
        f"{longer[len(longer) * 9 // 10]:.2f} times in a tenth of the rows."
    )


def _targets(run: Run, limits: Limits, others: list[Run]) -> str:
    lines = ["| case | against | target | floor | measured | |", "| --- | --- | ---: | ---: | ---: | --- |"]
    lines += ["| " + " | ".join(line) + " |" for line in targets.lines(run, limits, others)]
    text = (
        "Promises were made for AVX-512 and one thread; packed spikes in and out. Where no density is named, "
        "the worst of those measured counts."
    )
    return text + "\n\n" + "\n".join(lines)


def _summary(run: Run, limits: Limits) -> str:
    rows = run["rows"]
    lines = [
        "| case | threads | ours, ms | strongest peer, ms | times ours | share of limit | times 1 thread |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in ours(rows):
        best = strongest(rows, row)
        peer = f"{best['peer']} {best['median_ms']:.3g} | {best['ratio']:.2f}" if best else "- | -"
        of_limit = share(row, limits, run["isa"])
        lines.append(
            f"| {case_name(row)} | {row['threads']} | {row['median_ms']:.3g} | {peer} | "
            f"{'-' if of_limit is None else f'{of_limit:.0%}'} | {_speedup(rows, row)} |"
        )
    return "\n".join(lines) + (
        "\n\nThe limit is what the machine does at this level when it does nothing else: AND + popcount for "
        "1-bit weights (a table of half bytes where the level has no popcount of vectors) and Hamming "
        "distances, table look-up for 4-bit weights, int16 LIF steps for W5. Who skips silent inputs does "
        "less work than the definition says, so a share may pass 100 % at low density; so may that of W6 "
        "with AVX2, whose scan compares with two queries in one look-up."
    )


def _speedup(rows: list[Row], row: Row) -> str:
    found = speedup(rows, row) if row["threads"] > 1 else None
    return "-" if found is None else f"{found:.2f}"


def _limits(limits: Limits) -> str:
    threads = sorted({limit["threads"] for limit in limits})
    heads = " | ".join(f"{t} thread{'s' if t > 1 else ''}" for t in threads)
    lines = [f"| what | kernels | unit | {heads} |", "| --- | --- | --- |" + " ---: |" * len(threads)]
    for name, isa, unit in dict.fromkeys((e["name"], e["isa"], e["unit"]) for e in limits):
        found = {e["threads"]: e["best"] for e in limits if (e["name"], e["isa"]) == (name, isa)}
        cells = " | ".join(f"{found[t] / 1e9:.1f}" if t in found else "-" for t in threads)
        lines.append(f"| `{name}` | {isa} | G{unit} | {cells} |")
    return "\n".join(lines) + (
        "\n\nBest of 7, per second of processor time (`bench_limits`). A multiply-add of `lookup_add` is one "
        "spike times one weight."
    )
