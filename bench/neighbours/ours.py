"""Our index: each encoder with each plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import snncore

from .subject import (
    RERANKS,
    TABLES,
    Build,
    Built,
    File,
    Options,
    Rows,
    Search,
    Setting,
    key_bits_of,
    sample_of,
)

PROBES = (1, 4, 16, 64)


def ours(encoder: str, plan: str) -> Build:
    def build(base: Rows, o: Options) -> Built:
        index = snncore.Index(
            base.shape[1],
            o.bits,
            "l2",
            encoder,
            o.seed,
            tables=0 if plan == "scan" else TABLES,
            key_bits=key_bits_of(base),
            store="f32",
        )
        index.fit(sample_of(base))
        index.add(None, base, threads=o.threads)

        def searching(opened: snncore.Index, **given: Any) -> Search:
            return lambda Q, k: opened.search(Q, k, plan=plan, threads=o.threads, **given)[0]

        def settings() -> Iterator[Setting]:
            for given in _grid(plan):
                yield Setting(given, searching(index, **given))

        return Built(
            index.stats().total_bytes,
            settings(),
            lambda: index.stats().candidates,
            sections=index.stats().bytes,
            note="" if index.encoder == encoder else f"{index.encoder} was kept",
            file=File("mapped", index.save, lambda path: searching(snncore.Index.open(path))),
        )

    return build


def _grid(plan: str) -> Iterator[dict[str, Any]]:
    """Ranking by logits pays where codes are many and exact distances few, so it is tried with scans."""
    if plan == "multi_table":
        yield from ({"probes": probes, "rerank": rerank} for probes in PROBES for rerank in RERANKS[1:])
    else:
        yield from (
            {"rerank": rerank, "asymmetric": asymmetric} for asymmetric in (False, True) for rerank in RERANKS
        )
