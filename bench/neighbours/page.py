"""Tables of a run: what docs/search.md shows between its marks, and what ann.py prints."""

from __future__ import annotations

from typing import Any

from .fronts import by_index, fastest, front

Row = dict[str, Any]
Run = dict[str, Any]
Cells = list[str]

BEGIN = (
    "<!-- Made by `make performance` from bench/results/ann.json; changes between these marks are lost. -->"
)
END = "<!-- /made -->"
RECALLS = (0.9, 0.95, 0.99)
DETAIL = 0.95
SECTIONS = ("codes", "tables", "vectors", "ids", "tombstones", "encoder")


def markdown(run: Run) -> str:
    """All tables, without images."""
    return "\n\n".join(_of_set(run, about, None) for about in run["sets"])


def fill_page(page: str, run: Run, images: str | None) -> str:
    """Give the text of a page with its marked part made anew; `images` is the folder of plots beside it."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected a part between '{BEGIN}' and '{END}'")
    parts = [_where(run), *(_of_set(run, about, images) for about in run["sets"])]
    return before + "\n".join([BEGIN, "", "\n\n".join(parts), "", END]) + after


def _where(run: Run) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    threads = "one thread" if run["threads"] == 1 else f"{run['threads']} threads"
    return (
        f"{run['machine']}, kernels `{run['isa']}`, {threads} for building and searching, {run['date']}, "
        f"commit `{run['commit']}`, load {run['load']} on {run['cores']} cores when it began: {versions}. "
        f"Codes of {run['bits']} bits; graphs of 16 links built with 100 candidates. Queries a second are of "
        "queries one by one, in brackets of all at once; - where no setting found as much."
    )


def _of_set(run: Run, about: Row, images: str | None) -> str:
    name = about["dataset"]
    synthetic = ", synthetic" if name.startswith("synthetic") else ""
    parts = [f"### {name}: {about['vectors']:,} vectors of {about['dim']}{synthetic}"]
    if images is not None:
        parts.append(f"![Queries a second against recall, {name}]({images}/ann-{name}.png)")
    parts += [_speeds(run, name), _bytes(run, name), _sections(run, name)]
    parts.append(f"<details><summary>All fronts</summary>\n\n{_fronts(run, name)}\n\n</details>")
    return "\n\n".join(part for part in parts if part)


def _table(heads: Cells, lines: list[Cells]) -> str:
    rule = ["---"] + ["---:"] * (len(heads) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [heads, rule, *lines])


def _speeds(run: Run, dataset: str) -> str:
    heads = ["recall@10 of at least", *(f"{recall:g}" for recall in RECALLS)]
    heads += [f"{what} at {DETAIL}" for what in ("p50, p99 ms", "compared")]
    lines = []
    for name, rows in by_index(run, dataset).items():
        line = [f"`{name}`"]
        for recall in RECALLS:
            one, all_ = fastest(rows, recall), fastest(rows, recall, "batch_qps")
            line.append("-" if one is None or all_ is None else f"{one['qps']:.0f} ({all_['batch_qps']:.0f})")
        row = fastest(rows, DETAIL)
        line += (
            ["-", "-"]
            if row is None
            else [f"{row['p50_ms']:.2f}, {row['p99_ms']:.2f}", _count(row["candidates"])]
        )
        lines.append(line)
    return _table(heads, lines)


def _count(count: float | None) -> str:
    return "-" if count is None else f"{count:,.0f}"


def _bytes(run: Run, dataset: str) -> str:
    heads = [
        "index",
        "build, s",
        "bytes, MB",
        "more while building, MB",
        "file",
        "open, ms",
        "first query, ms",
    ]
    lines = []
    for row in run["indexes"]:
        if row["dataset"] != dataset:
            continue
        peak = row["build_peak_bytes"]
        note = f" ({row['note']})" if row["note"] else ""
        line = [f"`{row['index']}`{note}", f"{row['build_s']:.1f}", f"{row['bytes'] / 1e6:.1f}"]
        line += ["-" if peak is None else f"{peak / 1e6:.0f}", row.get("opened", "-")]
        line += [f"{row[key]:.1f}" if key in row else "-" for key in ("open_ms", "first_query_ms")]
        lines.append(line)
    return _table(heads, lines)


def _sections(run: Run, dataset: str) -> str:
    ours = [row for row in run["indexes"] if row["dataset"] == dataset and row["sections"]]
    if not ours:
        return ""
    names = [name for name in SECTIONS if any(name in row["sections"] for row in ours)]
    lines = [
        [f"`{row['index']}`", *(f"{row['sections'].get(name, 0) / 1e6:.2f}" for name in names)]
        for row in ours
    ]
    return _table(["bytes of, MB", *names], lines)


def _fronts(run: Run, dataset: str) -> str:
    heads = [
        "index",
        "setting",
        "recall@10",
        "within 1.01",
        "within 1.1",
        "found / true",
        "queries/s",
        "at once",
    ]
    heads += ["p50, p95, p99, p99.9 ms", "compared", "time before exact distances"]
    lines = []
    for name, rows in by_index(run, dataset).items():
        for row in front(rows):
            params = ", ".join(f"{key} {value}" for key, value in row["params"].items())
            share = row["codes_share"]
            line = [f"`{name}`", params or "-", f"{row['recall']:.4f}"]
            line += [f"{row['recall_1.01']:.4f}", f"{row['recall_1.1']:.4f}", f"{row['relative']:.4f}"]
            line += [f"{row['qps']:.0f}", f"{row['batch_qps']:.0f}"]
            line += [", ".join(f"{row[f'p{p}_ms']:.2f}" for p in ("50", "95", "99", "99.9"))]
            lines.append([*line, _count(row["candidates"]), "-" if share is None else f"{share:.0%}"])
    return _table(heads, lines)
