"""Makes the golden index of the format that is current: a file, queries, and what a search finds.

    python tests/python/golden/index/make_index.py

Run once for each format; a file that is there stays as it is.
"""

from pathlib import Path

import numpy as np

import snncore

FOLDER = Path(__file__).parent
FORMAT = 2
PLANS = ("scan", "multi_table", "mih")


def main() -> None:
    rng = np.random.default_rng(5)
    X = rng.integers(0, 40, (9, 6))[rng.integers(0, 9, 200)] + rng.integers(0, 9, (200, 6))
    index = snncore.Index(6, 64, "l2", "itq", 3, tables=4, key_bits=5, store="i8")
    index.fit(X)
    index.add(np.arange(200) * 7, X)
    index.remove([7, 70, 700])
    index.save(FOLDER / f"index.{FORMAT}.snn")
    index = snncore.Index.open(FOLDER / f"index.{FORMAT}.snn")
    Q = X[:20] + 1
    arrays = {"X": X, "Q": Q, "codes": index.encode(X)}
    for plan in PLANS:
        ids, distances = index.search(Q, 5, plan=plan, probes=2, rerank=8)
        arrays |= {f"{plan}:ids": ids, f"{plan}:distances": distances}
    np.savez_compressed(FOLDER / f"index.{FORMAT}.npz", **arrays)


if __name__ == "__main__":
    main()
