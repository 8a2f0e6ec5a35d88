"""Makes the golden index of the format that is current: a file, queries, and what a search finds.

    python tests/python/golden/index/make_index.py [FOLDER]

Once for each format: those of older ones stay as they are.
"""

import sys
from pathlib import Path

import numpy as np

import snncore

FOLDER = Path(__file__).parent
FORMAT = 2
PLANS = ("scan", "multi_table", "mih")


def main(folder: Path) -> None:
    rng = np.random.default_rng(5)
    X = rng.integers(0, 40, (9, 6))[rng.integers(0, 9, 200)] + rng.integers(0, 9, (200, 6))
    index = snncore.Index(6, 64, "l2", "itq", 3, tables=4, key_bits=5, store="i8")
    index.fit(X)
    index.add(np.arange(200) * 7, X)
    index.remove([7, 70, 700])
    index.save(folder / f"index.{FORMAT}.snn")
    index = snncore.Index.open(folder / f"index.{FORMAT}.snn")
    Q = X[:20] + 1
    arrays = {"X": X, "Q": Q, "codes": index.encode(X)}
    for plan in PLANS:
        ids, distances = index.search(Q, 5, plan=plan, probes=2, rerank=8)
        arrays |= {f"{plan}:ids": ids, f"{plan}:distances": distances}
    np.savez_compressed(folder / f"index.{FORMAT}.npz", **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
