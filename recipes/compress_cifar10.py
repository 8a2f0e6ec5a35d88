"""Trains one small spiking VGG on CIFAR-10 (JPEG) and compresses it in many ways: a ladder of sizes.

    SNNCORE_DATA=... python recipes/compress_cifar10.py --out runs/compress
    SNNCORE_DATA=... python recipes/compress_cifar10.py --evaluate recipes/compressed

A float parent first; then each rung is fine-tuned from it for the same epochs, with its quantisers in the
loop, exported, and measured in the engine. Run it again to go on where it stopped: what is complete is kept.
It writes ``ladder.json``, ``ladder.md``, ``ladder.png`` and one ``.snn`` file a rung. Times and figures are
in README.md beside this file.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import OrderedDict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cifar10
import ladder
import numpy as np
import torch
from augmented import PREPROCESS
from courses import Course, Loss, fit, mean_loss, regulated_loss
from numpy.typing import NDArray
from torch import nn
from training import Log, share_text

import snncore
from snncore.reference import (
    Conv2d,
    Linear,
    MembraneQuantizer,
    Network,
    QuantizedLIF,
    WeightQuantizer,
    channel_groups,
    keep_channels,
)
from snncore.reference.networks import Scheme, float_snn, q_snn, qp_snn

PLAN: tuple[int | str, ...] = (16, "M", 32, "M", 64, 64, "M", 112, 96)  # 7.7 million products a step
TIMESTEPS = 2
SCORED_IMAGES = 640  # training images that channels are scored on, as many as in the authors' code


def _rescaw(bits: int) -> Scheme:
    return qp_snn(bits, ends="int8", factor=True)


def _unregulated(membrane_bits: int) -> Scheme:
    """Give 1-bit weights without standardisation (signs, scaled by the mean magnitude), small membranes."""
    neuron = QuantizedLIF(MembraneQuantizer(membrane_bits), decay=0.5, threshold=1.0, strict=True)
    return Scheme(WeightQuantizer("rescaw", 1), q_snn(membrane_bits).ends, neuron)


@dataclass(frozen=True)
class Rung:
    """One network of the ladder."""

    name: str
    scheme: Scheme
    removed: float = 0.0  # share of the connections between convolutions that goes
    criterion: str = ""
    loss: Loss = mean_loss


RUNGS = (
    Rung("float", float_snn()),
    Rung("8bit", _rescaw(8)),
    Rung("4bit", _rescaw(4)),
    Rung("2bit", _rescaw(2)),
    Rung("1bit", _rescaw(1)),
    Rung("2bit-vanilla", qp_snn(2, ends="int8", gamma="one")),
    *(
        Rung(f"4bit-{criterion}-{round(100 * removed)}", _rescaw(4), removed, criterion)
        for removed in (0.5, 0.75, 0.9)
        for criterion in ("svs", "sca")
    ),
    *(Rung(f"1w{bits}u", q_snn(bits), loss=regulated_loss) for bits in (8, 4, 2)),
    Rung("1w2u-weights", q_snn(2)),
    Rung("1w2u-spikes", _unregulated(2), loss=regulated_loss),
    Rung("1w2u-neither", _unregulated(2)),
)
SCORED = "4bit"  # the rung whose channels are scored: quantised first, then pruned, as in the paper


def parent_network() -> Network:
    """Build the float network."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels, side, pools, neuron = 3, PREPROCESS["size"][0], 0, float_snn()
    for entry in PLAN:
        if isinstance(entry, int):
            number = 1 + sum(name.startswith("conv") for name in layers)
            layers[f"conv{number}"] = Conv2d(channels, entry, 3, padding=1, bias=False)
            layers[f"bn{number}"] = nn.BatchNorm2d(entry)
            layers[f"lif{number}"] = neuron.make_neuron()
            channels = entry
        else:
            pools, side = pools + 1, side // 2
            layers[f"pool{pools}"] = nn.MaxPool2d(2)  # on spikes: an OR
    layers["flatten"] = nn.Flatten()
    layers["fc"] = Linear(channels * side * side, len(cifar10.LABELS))
    net = Network(nn.Sequential(layers), timesteps=TIMESTEPS, preprocess=PREPROCESS, labels=cifar10.LABELS)
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def connections(widths: list[int]) -> int:
    """Count the weights of the 3x3 convolutions."""
    return sum(9 * a * b for a, b in zip([3, *widths], widths, strict=False))


def ratio_for(removed: float) -> float:
    """Give the share of channels that every convolution but the last loses, so that `removed` weights go."""
    full = [entry for entry in PLAN if isinstance(entry, int)]
    target = (1 - removed) * connections(full)

    def left(ratio: float) -> int:
        return connections([*(int(n * (1 - ratio)) for n in full[:-1]), full[-1]])

    return min((step / 1000 for step in range(950)), key=lambda ratio: abs(left(ratio) - target))


def pruned(parent: Network, scored: snncore.Model, rung: Rung, images: np.ndarray) -> Network:
    """Take from the parent the channels whose neurons score least in the quantised network."""
    last = f"conv{sum(isinstance(entry, int) for entry in PLAN)}"  # keeps its channels, as in the paper
    _, report = snncore.prune(
        scored,
        calibration=images,
        ratio=ratio_for(rung.removed),
        ratios={last: 0.0},
        criterion=rung.criterion,  # type: ignore[arg-type]
        threads=1,
    )
    kept = {name: stream.kept for stream in report.streams for name in stream.members}
    keep = {group[0]: kept[group[0]] for group in channel_groups(parent)}
    return keep_channels(parent, keep)


def export(net: Network, path: Path) -> snncore.Model:
    """Convert a network and write it."""
    model = snncore.from_torch(net, torch.zeros(1, 3, *PREPROCESS["size"]))
    model.save(path)
    return model


@dataclass(frozen=True)
class Workshop:
    """What a process that trains a rung needs to know."""

    out: Path
    epochs: int
    rate: float
    seed: int
    quick: bool

    @property
    def parent(self) -> Path:
        """Where the parent's course is kept."""
        return self.out / "parent.pt"

    def model(self, rung: str) -> Path:
        """Where a rung's file is."""
        return self.out / f"{rung}.snn"

    def data(self) -> cifar10.Cifar10:
        """Read the images; a small part of them with --quick."""
        data = cifar10.load(cache=self.out / "cifar10.npz")
        if not self.quick:
            return data
        parts = ((data.train, 23), (data.validation, 10), (data.test, 10))
        return cifar10.Cifar10(*(cifar10.Split(s.images[::k], s.labels[::k]) for s, k in parts))

    def trained_parent(self) -> Network:
        """Load the parent."""
        net = parent_network()
        net.load_state_dict(torch.load(self.parent, weights_only=True)["state"])
        return net.eval()

    def untrained(self, rung: Rung, data: cifar10.Cifar10) -> Network:
        """Make a rung's network of the parent's parameters."""
        net = self.trained_parent()
        if rung.removed:
            some = np.random.default_rng(self.seed).permutation(len(data.train))[:SCORED_IMAGES]
            images = np.ascontiguousarray(data.train.images[some].transpose(0, 3, 1, 2))
            net = pruned(net, snncore.load(self.model(SCORED)), rung, images)
        return rung.scheme.applied(net)

    def train_rung(self, rung: Rung) -> None:
        """Fine-tune one rung from the parent, and export it."""
        torch.set_num_threads(1)
        data = self.data()
        course = Course(self.epochs, self.rate, warm_up=0.1, adam=True, seed=self.seed)
        path, log = self.out / f"{rung.name}.pt", Log(self.out / "log.txt")
        net = fit(self.untrained(rung, data), course, data, path, log, rung.loss)
        export(net, self.model(rung.name))

    def trained(self, rung: Rung, data: cifar10.Cifar10) -> Network:
        """Load a rung's network."""
        net = self.untrained(rung, data)
        net.load_state_dict(torch.load(self.out / f"{rung.name}.pt", weights_only=True)["state"])
        return net.eval()

    def measured(self, rung: Rung) -> tuple[ladder.Measured, NDArray[np.bool_]]:
        """Measure all but the speed of one rung; and which test images it knows."""
        torch.set_num_threads(1)
        data = self.data()
        net, model = self.trained(rung, data), snncore.load(self.model(rung.name))
        row, right = ladder.measured(rung.name, net, model, data.test)
        log = Log(self.out / "log.txt")
        log(f"{rung.name}: test accuracy {row.accuracy:.2f} % on CIFAR-10 (JPEG), {row.images} images")
        return row, right


def train(shop: Workshop, parent: Course, jobs: int, only: list[str]) -> None:
    """Train what is not complete: the parent with all threads, then `jobs` rungs at a time."""
    torch.set_num_threads(jobs)
    fit(parent_network(), parent, shop.data(), shop.parent, Log(shop.out / "log.txt"), mean_loss)
    wanted = [r for r in RUNGS if (not only or r.name in only) and not shop.model(r.name).exists()]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        # What is pruned needs the channels' scores first.
        for ready in ([r for r in wanted if not r.removed], [r for r in wanted if r.removed]):
            list(pool.map(shop.train_rung, ready))


#: What the papers claim, as differences of two rungs.
COMPARED = (
    ("8bit", "float"),
    ("4bit", "float"),
    ("2bit", "float"),
    ("1bit", "float"),
    ("2bit", "2bit-vanilla"),
    *((f"4bit-svs-{removed}", f"4bit-sca-{removed}") for removed in (50, 75, 90)),
    ("1w2u", "1w2u-neither"),
    ("1w2u-weights", "1w2u-neither"),
    ("1w2u-spikes", "1w2u-neither"),
)


def measure(shop: Workshop, rungs: list[Rung], jobs: int, seconds: float) -> None:
    """Measure all rungs that there are, `jobs` at a time, but their speed alone; write the ladder."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(shop.measured, rungs))
    rows = [row for row, _ in found]
    right = {row.name: answers for row, answers in found}
    models = [snncore.load(shop.model(rung.name)) for rung in rungs]
    for row, milliseconds in zip(rows, ladder.time_all(models, shop.data().test, seconds), strict=True):
        row.milliseconds = milliseconds
    both = [pair for pair in COMPARED if set(pair) <= set(right)]
    ladder.write(shop.out, rows, [ladder.difference(a, b, right) for a, b in both], base=SCORED)
    print((shop.out / "ladder.md").read_text())


def evaluate(folder: Path, data: cifar10.Cifar10) -> None:
    """Print what each model in a folder gets right of the test images, and whether the reference agrees."""
    for path in sorted(folder.glob("*.snn")):
        model = snncore.load(path)
        right = int(ladder.answers(model, data.test).sum())
        same = "yes" if ladder.compared(model, data.test) else "NO"
        print(
            f"{path.name}: {model.file_bytes:,} bytes, {share_text(right, len(data.test))}; "
            f"equal to the integer reference on {ladder.COMPARED_IMAGES:,} images: {same}",
            flush=True,
        )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--epochs", type=int, default=24, help="epochs of the float parent")
    parser.add_argument("--one-step-epochs", type=int, default=16, help="how many of them run one time step")
    parser.add_argument("--lr", type=float, default=0.05, help="peak learning rate of the parent")
    parser.add_argument("--rung-epochs", type=int, default=3, help="epochs of every rung")
    parser.add_argument("--rung-lr", type=float, default=1e-3, help="peak learning rate of every rung (Adam)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="rungs trained at a time")
    parser.add_argument("--only", nargs="*", default=[], metavar="RUNG", help="train only these rungs")
    parser.add_argument("--seconds", type=float, default=3.0, help="seconds each rung is timed for")
    parser.add_argument("--out", type=Path, default=Path("runs/compress"), help="folder for all that is made")
    parser.add_argument("--evaluate", type=Path, metavar="FOLDER", help="only test the models in a folder")
    parser.add_argument("--quick", action="store_true", help="few images, one epoch: does it run at all?")
    args = parser.parse_args()
    unknown = set(args.only) - {r.name for r in RUNGS}
    if unknown:
        parser.error(f"--only: expected names of {', '.join(r.name for r in RUNGS)}; got {min(unknown)}")
    if args.quick:
        args.epochs, args.one_step_epochs, args.rung_epochs = 2, 1, 1
    return args


def main() -> int:
    args = arguments()
    shop = Workshop(args.out, args.rung_epochs, args.rung_lr, args.seed, args.quick)
    parent = Course(args.epochs, args.lr, 0.2, min(args.one_step_epochs, args.epochs), seed=args.seed)
    try:
        if args.evaluate:
            evaluate(args.evaluate, cifar10.load())
            return 0
        args.out.mkdir(parents=True, exist_ok=True)
        train(shop, parent, args.jobs, args.only)
        there = [rung for rung in RUNGS if shop.model(rung.name).exists()]
        measure(shop, there, args.jobs, args.seconds)
    except cifar10.DataMissingError as missing:
        print(missing, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
