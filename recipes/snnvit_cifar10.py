"""Trains a small SNN-ViT on CIFAR-10 (JPEG) twice: with saccadic attention and with (Q K^T) V, same budget.

    SNNCORE_DATA=... python recipes/snnvit_cifar10.py --out runs/snnvit
    SNNCORE_DATA=... python recipes/snnvit_cifar10.py --out runs/snnvit --only sssa --flips
    SNNCORE_DATA=... python recipes/snnvit_cifar10.py --out runs/snnvit --pictures
    SNNCORE_DATA=... python recipes/snnvit_cifar10.py --out runs/snnvit --verify

Each float network is the parent of two more, fine-tuned with weights of 8 bits and of 1 bit. Run it again to
go on where it stopped: what is complete is kept. It writes ``<network>.pt`` and ``<network>.snn``, what each
gets right of all test images into ``results.json`` and ``results.md``, and the pictures
``fixations-<network>.png``: which patches are looked at, at each step.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cifar10
import fixations
import numpy as np
import torch
from augmented import PREPROCESS, predictions
from courses import Course, fit, mean_loss
from training import Log, share_text

import snncore
from snncore.reference import LIF, Network, flip_rates
from snncore.reference.networks import snn_vit, transformer_scheme

SIZE, POOLS = "2-96", (True, True, False, False)  # 64 tokens
ATTENTIONS: dict[str, dict[str, Any]] = {
    "sssa": {"kind": "saccadic", "mode": "v2_joint_static", "heads": 1, "threshold": 0.7},
    "ssa": {"kind": "ssa", "heads": 4},
}
BITS = {"float": 32, "8bit": 8, "1bit": 1}


def scheme(bits: int) -> Any:
    """Give the weights so many bits; the neuron leaks by half and takes its input whole."""
    return transformer_scheme(bits, LIF(decay=0.5, threshold=1.0))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Plan:
    """What a process that trains one attention's three networks needs to know."""

    out: Path
    courses: dict[str, Course]
    images: int
    timesteps: int
    size: str
    quick: bool

    def data(self) -> cifar10.Cifar10:
        """Read the images: a fixed part of the training images, all others; few of all with --quick."""
        data = cifar10.load(cache=self.out / "cifar10.npz")
        every = 20 if self.quick else 1
        return cifar10.part(data, self.images, validation=every, test=every)

    def network(self, attention: str, bits: str) -> Network:
        """Build one network, untrained."""
        net = snn_vit(
            self.size,
            len(cifar10.LABELS),
            pools=POOLS,
            scheme=scheme(BITS[bits]),
            timesteps=self.timesteps,
            preprocess=PREPROCESS,
            labels=cifar10.LABELS,
            **ATTENTIONS[attention],
        )
        return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def trained(self, name: str) -> Network:
        """Load one network, "sssa-8bit" for example."""
        net = self.network(*name.split("-"))
        net.load_state_dict(torch.load(self.out / f"{name}.pt", weights_only=True)["state"])
        return net.eval()

    def train(self, attention: str) -> None:
        """Train the float network, then the two that begin as it ended."""
        torch.set_num_threads(1)
        data, log = self.data(), Log(self.out / "log.txt")
        torch.manual_seed(self.courses["float"].seed)
        net = self.network(attention, "float")
        for bits, course in self.courses.items():
            name = f"{attention}-{bits}"
            start = net if bits == "float" else scheme(BITS[bits]).applied(net)
            trained = fit(start, course, data, self.out / f"{name}.pt", log, mean_loss)
            net = trained if bits == "float" else net

    def score(self, name: str, log: Callable[[str], None]) -> None:
        """Count what PyTorch and, of coded weights, the engine get right of all test images; once."""
        path = self.out / f"{name}.score.json"
        if path.exists():
            return
        net, test = self.trained(name), self.data().test
        answers = {"torch": predictions(net, test)}
        facts: dict[str, Any] = {"name": name, "count": len(test.labels)}
        if name.endswith("bit"):
            model = snncore.from_torch(net, torch.zeros(1, 3, *PREPROCESS["size"]), name=name)
            model.save(self.out / f"{name}.snn")
            facts["bytes"] = (self.out / f"{name}.snn").stat().st_size
            images = np.ascontiguousarray(test.images.transpose(0, 3, 1, 2))
            answers["engine"] = np.argmax(model.run(images), axis=1)
            facts["equal_labels"] = int((answers["engine"] == answers["torch"]).sum())
        for who, labels in answers.items():
            facts[who] = int((labels == test.labels).sum())
            log(f"{name} {who}: {share_text(facts[who], len(test.labels))}")
        path.write_text(json.dumps(facts, indent=2) + "\n")

    def report(self, names: list[str], log: Callable[[str], None]) -> None:
        """Write the table of all that is complete."""
        found = [self.out / f"{name}.score.json" for name in names]
        rows = [json.loads(path.read_text()) for path in found if path.exists()]
        (self.out / "results.json").write_text(json.dumps(rows, indent=2) + "\n")
        lines = ["| network | PyTorch | engine | bytes |", "|---|---|---|---|"]
        for row in rows:
            engine = share_text(row["engine"], row["count"]) if "engine" in row else ""
            torch_share = share_text(row["torch"], row["count"])
            lines.append(f"| {row['name']} | {torch_share} | {engine} | {row.get('bytes', '')} |")
        (self.out / "results.md").write_text("\n".join(lines) + "\n")
        log("results: " + str(self.out / "results.md"))


def flips(plan: Plan, names: list[str], log: Callable[[str], None]) -> None:
    """Print the share of decisions that the decoupled form of each saccadic neuron takes otherwise."""
    test = plan.data().test
    pixels = torch.from_numpy(test.images[:: max(1, len(test.images) // 1000)]).permute(0, 3, 1, 2)
    for name in names:
        net = plan.trained(name)
        for neuron, rate in flip_rates(net, net.normalise(pixels)).items():
            log(
                f"{name} {neuron}: decoupled differs from joint in {100 * rate:.2f} % of {len(pixels)} images"
            )


def check(plan: Plan, names: list[str], log: Callable[[str], None]) -> None:
    """Compare every spike of the engine with the integer reference, on all test images."""
    images = np.ascontiguousarray(plan.data().test.images.transpose(0, 3, 1, 2))
    for name in (n for n in names if BITS[n.split("-")[1]] < 32):
        report = snncore.verify(snncore.load(plan.out / f"{name}.snn"), None, images)
        log(f"{name}: engine and integer reference equal on {len(images)} images: {report.equal}")


def pictures(plan: Plan, names: list[str], log: Callable[[str], None]) -> None:
    """Draw what is looked at in one test image of each class."""
    test = plan.data().test
    chosen = [int(np.flatnonzero(test.labels == label)[0]) for label in range(len(cifar10.LABELS))]
    for name in names:
        path = plan.out / f"fixations-{name}.png"
        fixations.draw(plan.trained(name), test.images[chosen], test.labels[chosen], path)
        log(f"drawn: {path}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--images", type=int, default=10_000, help="training images, of 45,000")
    parser.add_argument("--epochs", type=int, default=8, help="epochs of the float networks")
    parser.add_argument(
        "--lr", type=float, default=2e-3, help="peak learning rate of the float networks (Adam)"
    )
    parser.add_argument("--epochs-8bit", type=int, default=2)
    parser.add_argument("--epochs-1bit", type=int, default=4)
    parser.add_argument("--tuning-lr", type=float, default=1e-3, help="peak learning rate of the fine-tunes")
    parser.add_argument("--timesteps", type=int, default=2)
    parser.add_argument("--size", default=SIZE, help="blocks and channels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="attentions trained at a time")
    parser.add_argument("--only", nargs="*", default=list(ATTENTIONS), choices=list(ATTENTIONS))
    parser.add_argument("--out", type=Path, default=Path("runs/snnvit"), help="folder for all that is made")
    parser.add_argument("--flips", action="store_true", help="only measure joint against decoupled decisions")
    parser.add_argument("--verify", action="store_true", help="only compare engine and integer reference")
    parser.add_argument("--pictures", action="store_true", help="only draw what is looked at")
    parser.add_argument("--quick", action="store_true", help="few images, one epoch: does it run at all?")
    args = parser.parse_args()
    if args.quick:
        args.images, args.epochs, args.epochs_8bit, args.epochs_1bit = 640, 1, 1, 1
    return args


def main() -> int:
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    log = Log(args.out / "log.txt")
    courses = {
        "float": Course(args.epochs, args.lr, 0.15, adam=True, seed=args.seed),
        "8bit": Course(args.epochs_8bit, args.tuning_lr, 0.1, adam=True, seed=args.seed),
        "1bit": Course(args.epochs_1bit, args.tuning_lr, 0.1, adam=True, seed=args.seed),
    }
    plan = Plan(args.out, courses, args.images, args.timesteps, args.size, args.quick)
    names = [f"{a}-{b}" for a in args.only for b in BITS]
    saccadic = [n for n in names if ATTENTIONS[n.split("-")[0]]["kind"] == "saccadic"]
    whole = not (args.flips or args.pictures or args.verify)
    try:
        if whole:
            plan.data()  # decoded once, before the processes begin
            with ProcessPoolExecutor(args.jobs, mp_context=get_context("spawn")) as pool:
                list(pool.map(plan.train, args.only))
            for name in names:
                plan.score(name, log)
            plan.report([f"{a}-{b}" for a in ATTENTIONS for b in BITS], log)
        if whole or args.flips:
            flips(plan, saccadic, log)
        if whole or args.pictures:
            pictures(plan, saccadic, log)
        if args.verify:
            check(plan, names, log)
    except cifar10.DataMissingError as missing:
        print(missing, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
