"""The words and tables of docs/performance.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shares import limit_ms, share
from table import markdown

Row = dict[str, Any]
Limits = list[dict[str, Any]]

#: The page up to the first chapter.
INTRODUCTION = (Path(__file__).parent / "introduction.md").read_text() + "\n"


def chapter(run: dict[str, Any], limits: Limits) -> str:
    rows = run["rows"]
    parts = [
        f"## {run['machine']}, {run['cores']} cores, kernels `{run['isa']}`",
        _where(run),
        "### Summary",
        _summary(rows, limits),
        "### All times",
        markdown(rows),
    ]
    if limits:
        parts += ["### Limits of this machine", _limits(limits)]
    return "\n\n".join(parts) + "\n"


def _where(run: dict[str, Any]) -> str:
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
    load = run.get("load")
    if load is not None:
        text += f" Load of the machine when it began: {load:.1f} for {run['cores']} cores."
    return text


def _summary(rows: list[Row], limits: Limits) -> str:
    lines = [
        "| case | threads | ours, ms | strongest peer, ms | times ours | share of the limit |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for ours in rows:
        if ours["peer"] != "snncore" or ours["packing"] != "outside":
            continue
        best = strongest(rows, ours)
        of_limit = share(ours, limits)
        lines.append(
            f"| {case_name(ours)} | {ours['threads']} | {ours['median_ms']:.3g} | "
            + (f"{best['peer']} {best['median_ms']:.3g} | {best['ratio']:.2f} | " if best else "- | - | ")
            + (f"{of_limit:.0%} |" if of_limit else "- |")
        )
    return "\n".join(lines) + (
        "\n\nThe limit is what the machine does when it does nothing else: AND + popcount for 1-bit weights "
        "and Hamming distances, table look-up for 4-bit weights, int16 LIF steps for W5. Who skips silent "
        "inputs does less work than the definition says, so a share may pass 100 % at low density."
    )


def strongest(rows: list[Row], ours: Row) -> Row | None:
    """Give the fastest peer of the same case whose result was right."""
    same = ("workload", "variant", "density", "threads", "packing")
    peers = [
        row
        for row in rows
        if all(row[key] == ours[key] for key in same)
        and not row["peer"].startswith("snncore")
        and row["equal"]
    ]
    return min(peers, key=lambda row: row["median_ms"], default=None)


def case_name(row: Row) -> str:
    density = "" if row["density"] is None else f", {row['density']} %"
    return f"{row['workload']} {row['variant']}{density}"


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


__all__ = ["INTRODUCTION", "case_name", "chapter", "limit_ms", "strongest"]
