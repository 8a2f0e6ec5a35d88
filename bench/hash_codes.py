#!/usr/bin/env python3
"""How many true neighbours the codes of each encoder find on MNIST: 9,000 test images, 1,000 queries.

    python bench/hash_codes.py --bits 128 --seeds 3 --kinds srp,itq,itq:sign,mlp
    python bench/hash_codes.py --choose

An entry is the share of the true ten nearest images among the R images of nearest codes, which is recall@10
after exact re-ranking of R, as a mean of the seeds and, in brackets, its least and its greatest; "asymmetric"
ranks by the query's logits. The cut is a permutation with seed 0, encoders are fitted to the 9,000 with each
seed. Data: the folder in SNNCORE_DATA.

`--choose` says how "mlp" should be trained without a look at the queries: by which recipe of RECIPES networks
find most neighbours of the hold-out that `fit_mlp` cuts from the 9,000.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncore import encoders
from snncore.reference.hashing import nearest, recall

KEPT = (10, 50, 100, 200)
#: Of `snncore.reference.hashing.mlp.Training`, what is not as it is by default.
RECIPES: tuple[dict[str, Any], ...] = (
    {},
    {"epochs": 4},
    {"epochs": 16},
    {"rate": 1e-4},
    {"rate": 5e-4},
    {"tau": 10.0},
    {"alphas": (1.0, 4.0)},
    {"train_projection": False},
)
FILE = "mnist-t10k-images-idx3-ubyte.gz"
HEADER = 16

Images = NDArray[np.float32]


def mnist() -> tuple[Images, Images]:
    """9,000 images to search and 1,000 queries, float32 [n, 784]."""
    file = Path(os.environ.get("SNNCORE_DATA", ".")) / FILE
    if not file.is_file():
        raise SystemExit(f"{file} is missing: set SNNCORE_DATA to the folder that holds MNIST's test images")
    pixels = np.frombuffer(gzip.decompress(file.read_bytes()), np.uint8, offset=HEADER).reshape(10_000, 784)
    images = pixels[np.random.default_rng(0).permutation(len(pixels))].astype(np.float32)
    return images[:9000], images[9000:]


def rows(kind: str, bits: int, seeds: int, base: Images, queries: Images) -> list[str]:
    """Lines of the table for an encoder, "kind" or "kind:weights"."""
    kind, _, weights = kind.partition(":")
    truth = nearest(base, queries, 10)
    plain, asymmetric, seconds, notes = [], [], [], []
    for seed in range(seeds):
        start = time.perf_counter()
        encoder = encoders.fit(kind, base, bits, seed=seed, weights=weights or "float32")
        seconds.append(time.perf_counter() - start)
        notes += [f"  seed {seed}: {encoder.note}"] if encoder.note else []
        plain.append([recall(encoder, base, queries, truth, kept=kept) for kept in KEPT])
        asymmetric.append(
            [recall(encoder, base, queries, truth, kept=kept, asymmetric=True) for kept in KEPT]
        )
    name = f"{kind}{' ' + weights if weights else ''}"
    lines = [
        f"| {label} | {bits} | {' | '.join(spread(one) for one in zip(*figures, strict=True))} | {fit} |"
        for label, figures, fit in (
            (name, plain, f"{np.mean(seconds):.1f}"),
            (f"{name}, asymmetric", asymmetric, ""),
        )
    ]
    return lines + notes


def spread(values: Sequence[float]) -> str:
    text = f"{np.mean(values):.4f}"
    return text if min(values) == max(values) else f"{text} ({min(values):.4f} to {max(values):.4f})"


def choose(bits: int, seeds: int, base: Images) -> None:
    """Print what each recipe finds of the hold-out that `fit_mlp` cuts from the base, and the best one."""
    from snncore.reference.hashing.mlp import Training

    means = []
    for recipe in RECIPES:
        training = Training(**recipe, progress=False)
        notes = [encoders.fit("mlp", base, bits, seed=seed, training=training).note for seed in range(seeds)]
        ours, itq = zip(*(map(float, re.findall(r"0\.\d+|1\.0+", note or "")) for note in notes), strict=True)
        kept = sum(str(note).startswith("mlp kept") for note in notes)
        means.append(float(np.mean(ours)))
        print(
            f"{recipe or 'as it is'}: {spread(ours)}, itq {spread(itq)}; kept {kept} of {seeds}", flush=True
        )
    print("chosen:", RECIPES[int(np.argmax(means))] or "as it is")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kinds", default="srp,itq,e2lsh,cross_polytope")
    parser.add_argument("--bits", default="128")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--choose", action="store_true", help="how to train an mlp, by a hold-out of the base"
    )
    options = parser.parse_args()
    base, queries = mnist()
    if options.choose:
        for bits in map(int, options.bits.split(",")):
            choose(bits, options.seeds, base)
        return
    print("| encoder | bits |", " | ".join(f"R = {kept}" for kept in KEPT), "| fit, s |")
    print("|---|---|" + "---|" * len(KEPT) + "---|")
    for bits in map(int, options.bits.split(",")):
        for kind in options.kinds.split(","):
            print("\n".join(rows(kind, bits, options.seeds, base, queries)), flush=True)


if __name__ == "__main__":
    main()
