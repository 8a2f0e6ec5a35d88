"""Trains a small BESTformer on CIFAR-10 (JPEG) as a ladder: what each part of the method adds to one bit.

    SNNCORE_DATA=... python recipes/bestformer_cifar10.py --out runs/bestformer
    SNNCORE_DATA=... python recipes/bestformer_cifar10.py --out runs/bestformer --only float plain
    SNNCORE_DATA=... python recipes/bestformer_cifar10.py --out runs/bestformer --score
    SNNCORE_DATA=... python recipes/bestformer_cifar10.py --out runs/bestformer --verify

Two networks in full precision, one for each rule of the streams, are the parents of five with weights of one
bit, which have the same course of training: plain, with coupled ("reversible") streams, with a teacher, with
both (CIE), and with both and saccadic attention. The teacher is the parent with one stream, trained by this
recipe. Without a teacher both heads learn from the labels. Run it again to go on where it stopped: what is
complete is kept. It writes ``<network>.pt`` and what each gets right of all test images into
``results.json`` and ``results.md``; of each network with weights of one bit ``<network>.snn``, too.

The defaults are for one CPU core and about 70 minutes: 10,000 images, two time steps, 7 epochs for a parent
and 5 for each of the others. More of each: --images 45000 --timesteps 4 --epochs 100 --epochs-1bit 100.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cifar10
import numpy as np
import torch
from augmented import PREPROCESS, predictions
from courses import SMOOTHING, Course, fit
from numpy.typing import NDArray
from training import Log, share_text

import snncore
from snncore.reference import LIF, CieLoss, Network
from snncore.reference.networks import bestformer, bestformer_scheme

SIZE, POOLS = "2-96", (True, True, False, False)  # 64 tokens
SCALE = 0.5  # of the sums of attention: 0.125 is for 4 steps and 48 channels a head, and would never fire


@dataclass(frozen=True)
class Rung:
    """One network of the ladder; `parent` None: full precision, from scratch."""

    parent: str | None
    rule: str = "residual"
    teacher: str | None = None
    attention: str = "map_qk"

    @property
    def in_engine(self) -> bool:
        """Whether its weights are integers."""
        return self.parent is not None


LADDER = {
    "float": Rung(None),
    "float-reversible": Rung(None, rule="coupled"),
    "plain": Rung("float"),
    "reversible": Rung("float-reversible", rule="coupled"),
    "distilled": Rung("float", teacher="float"),
    "cie": Rung("float-reversible", rule="coupled", teacher="float"),
    "cie-saccadic": Rung("float-reversible", rule="coupled", teacher="float", attention="saccadic"),
}
ATTENTIONS: dict[str, dict[str, Any]] = {
    "map_qk": {"heads": 4, "scale": SCALE},
    "map_kv": {"heads": 4, "scale": SCALE},
    "saccadic": {"heads": 1, "threshold": 0.7},
}


@dataclass(frozen=True)
class Plan:
    """What is trained, and how."""

    out: Path
    parents: Course
    children: Course
    images: int
    timesteps: int
    size: str
    distillation: str
    quick: bool

    def data(self) -> cifar10.Cifar10:
        """Read the images: a fixed part of those for training, 1,000 for the log, all for the test."""
        data = cifar10.load(cache=self.out / "cifar10.npz")
        return cifar10.part(
            data, self.images, validation=20 if self.quick else 5, test=20 if self.quick else 1
        )

    def network(self, name: str) -> Network:
        """Build one network of the ladder, untrained. Neurons leak by half and take their input whole."""
        rung = LADDER[name]
        bits, ends = (32, "float") if rung.parent is None else (1, "int8")
        net = bestformer(
            self.size,
            len(cifar10.LABELS),
            kind=rung.attention,  # type: ignore[arg-type]
            rule=rung.rule,  # type: ignore[arg-type]
            pools=POOLS,
            scheme=bestformer_scheme(bits, ends=ends, neuron=LIF(decay=0.5, threshold=1.0)),  # type: ignore[arg-type]
            timesteps=self.timesteps,
            preprocess=PREPROCESS,
            labels=cifar10.LABELS,
            **ATTENTIONS[rung.attention],
        )
        return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def trained(self, name: str) -> Network:
        """Load one network."""
        net = self.network(name)
        net.load_state_dict(torch.load(self.out / f"{name}.pt", weights_only=True)["state"])
        return net.eval()

    def begun(self, name: str) -> Network:
        """Build one network as it is before training: what its parent has under the same name is taken over.

        A parent of another attention has no saccadic neuron, and keys beside.
        """
        torch.manual_seed(self.children.seed)
        net, parent = self.network(name), LADDER[name].parent
        if parent is not None:
            net.load_state_dict(net.state_dict() | _common(self.trained(parent), net))
        return net

    def train(self, name: str, log: Callable[[str], None]) -> None:
        """Train one network, or what is left to train of it."""
        rung = LADDER[name]
        teacher = None if rung.teacher is None else self.trained(rung.teacher)
        loss = CieLoss(teacher, self.distillation, label_smoothing=SMOOTHING)  # type: ignore[arg-type]
        course = self.parents if rung.parent is None else self.children
        fit(self.begun(name), course, self.data(), self.out / f"{name}.pt", log, loss)

    def score(self, name: str, log: Callable[[str], None]) -> None:
        """Count what a network gets right of the test images, once."""
        path = self.out / f"{name}.score.json"
        if path.exists():
            return
        net, test = self.trained(name), self.data().test
        labels = predictions(net, test)
        facts = {"name": name, "torch": int((labels == test.labels).sum()), "count": len(test.labels)}
        facts |= asdict(LADDER[name])
        log(f"{name}: {share_text(facts['torch'], len(test.labels))}")
        if LADDER[name].in_engine:
            model = snncore.from_torch(net, torch.zeros(1, 3, *PREPROCESS["size"]), name=f"bestformer-{name}")
            model.save(self.out / f"{name}.snn")
            answers = np.argmax(model.run(pixels_of(test)), axis=1)
            facts["engine"] = int((answers == test.labels).sum())
            facts["equal_labels"] = int((answers == labels).sum())
            facts["bytes"] = (self.out / f"{name}.snn").stat().st_size
            log(f"{name} engine: {share_text(facts['engine'], len(test.labels))}, {facts['bytes']} bytes")
        path.write_text(json.dumps(facts, indent=2) + "\n")

    def report(self, log: Callable[[str], None]) -> None:
        """Write the table of all that is complete."""
        found = [self.out / f"{name}.score.json" for name in LADDER]
        rows = [json.loads(path.read_text()) for path in found if path.exists()]
        (self.out / "results.json").write_text(json.dumps(rows, indent=2) + "\n")
        heads = ("network", "weights", "streams", "second head", "attention", "test images", "in the engine")
        lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
        for row in rows:
            weights = "float32" if row["parent"] is None else "1 bit"
            master = f"{self.distillation} answers of {row['teacher']}" if row["teacher"] else "labels"
            answers = share_text(row["torch"], row["count"])
            engine = f"{row['engine']}, {row['bytes']} bytes" if "engine" in row else ""
            cells = [row["name"], weights, row["rule"], master, row["attention"], answers, engine]
            lines.append("| " + " | ".join(cells) + " |")
        (self.out / "results.md").write_text("\n".join(lines) + "\n")
        log("results: " + str(self.out / "results.md"))


def pixels_of(split: cifar10.Split) -> NDArray[np.uint8]:
    """Give the images as the engine takes them: uint8 [N, 3, 32, 32]."""
    return np.ascontiguousarray(split.images.transpose(0, 3, 1, 2))


def check(plan: Plan, names: list[str], log: Callable[[str], None]) -> None:
    """Compare every spike of the engine with the integer reference, on all test images."""
    images = pixels_of(plan.data().test)
    for name in (n for n in names if LADDER[n].in_engine):
        report = snncore.verify(snncore.load(plan.out / f"{name}.snn"), None, images)
        log(f"{name}: engine and integer reference equal on {len(images)} images: {report.equal}")


def _common(parent: Network, net: Network) -> dict[str, torch.Tensor]:
    """Take what both have."""
    names = net.state_dict().keys()
    return {name: values for name, values in parent.state_dict().items() if name in names}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--images", type=int, default=10_000, help="training images, of 45,000")
    parser.add_argument("--epochs", type=int, default=7, help="epochs of the float networks")
    parser.add_argument("--lr", type=float, default=2e-3, help="peak learning rate of those (Adam)")
    parser.add_argument("--epochs-1bit", type=int, default=5, help="epochs of each 1-bit network")
    parser.add_argument("--lr-1bit", type=float, default=1e-3, help="peak learning rate of those")
    parser.add_argument("--distillation", default="hard", choices=["hard", "soft"])
    parser.add_argument("--timesteps", type=int, default=2)
    parser.add_argument("--size", default=SIZE, help="blocks and channels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=list(LADDER), choices=list(LADDER))
    parser.add_argument(
        "--out", type=Path, default=Path("runs/bestformer"), help="folder for all that is made"
    )
    parser.add_argument("--score", action="store_true", help="only count answers of what is trained")
    parser.add_argument("--verify", action="store_true", help="only compare engine and integer reference")
    parser.add_argument("--quick", action="store_true", help="few images, one epoch: does it run at all?")
    args = parser.parse_args()
    if args.quick:
        args.images, args.epochs, args.epochs_1bit = 640, 1, 1
    return args


def main() -> int:
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    log = Log(args.out / "log.txt")
    parents = Course(args.epochs, args.lr, 0.15, adam=True, seed=args.seed)
    children = Course(args.epochs_1bit, args.lr_1bit, 0.1, adam=True, seed=args.seed)
    plan = Plan(
        args.out, parents, children, args.images, args.timesteps, args.size, args.distillation, args.quick
    )
    try:
        if args.verify:
            check(plan, args.only, log)
            return 0
        for name in args.only:
            if not args.score:
                plan.train(name, log)
            plan.score(name, log)
            plan.report(log)
    except cifar10.DataMissingError as missing:
        print(missing, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
