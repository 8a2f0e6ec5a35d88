"""Trains the bundled model: a VGG-style spiking network on CIFAR-10 (JPEG), float, then 4-bit weights.

    SNNCORE_DATA=... python recipes/cifar10_vgg.py --out runs/cifar10_vgg

Run it again with ``--resume`` to continue where it stopped (it stores everything after each epoch). It prints
the test accuracy of the float parent and of the quantised network at the end, and writes
``float.pt``, ``quantised.pt`` and ``cifar10_vgg.snn``. See README.md beside this file for times and figures.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cifar10
import torch
import torch.nn.functional as F
from augmented import PREPROCESS, Augmented, accuracy
from torch import Tensor, nn
from tqdm import tqdm
from training import cosine_rate, write_atomically

from snncore.reference import LIF, Conv2d, Linear, Network, WeightQuantizer

PLAN: tuple[int | str, ...] = (32, 32, "M", 64, 64, "M", 128, 128, "M")
TIMESTEPS = 2

FIRST = WeightQuantizer("symmetric", bits=8, granularity="channel")
HIDDEN = WeightQuantizer("rescaw", bits=4, granularity="channel", gamma="mean", factor=True, ste="paper")
LAST = WeightQuantizer("symmetric", bits=8, granularity="layer")


def build(quantised: bool) -> Network:
    """The network; the float parent and the quantised network have the same parameters, by name and shape."""
    layers: list[nn.Module] = []
    channels = 3
    for entry in PLAN:
        if not isinstance(entry, int):
            layers.append(nn.MaxPool2d(2))  # on spikes: an OR
            continue
        quantizer = (HIDDEN if layers else FIRST) if quantised else None
        layers.append(Conv2d(channels, entry, 3, padding=1, bias=False, quantizer=quantizer))
        layers.append(nn.BatchNorm2d(entry))
        layers.append(LIF(decay=0.5, threshold=1.0, reset="zero"))
        channels = entry
    layers.append(nn.Flatten())
    layers.append(Linear(channels * 4 * 4, len(cifar10.LABELS), quantizer=LAST if quantised else None))
    net = Network(nn.Sequential(*layers), timesteps=TIMESTEPS, preprocess=PREPROCESS, labels=cifar10.LABELS)
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


@dataclass(frozen=True)
class Phase:
    """One stretch of training. The first `one_step_epochs` run a single time step, at under half the cost."""

    name: str
    quantised: bool
    epochs: int
    one_step_epochs: int
    learning_rate: float
    warm_up: float  # share of the phase in which the rate rises from 0 (then half a cosine back to 0)

    def rate(self, progress: float) -> float:
        """Learning rate at `progress` 0..1."""
        return cosine_rate(self.learning_rate, progress, self.warm_up)


class Trainer:
    """Runs the phases, storing everything needed to continue after each epoch."""

    def __init__(self, args: argparse.Namespace, data: cifar10.Cifar10) -> None:
        self.args, self.data, self.out = args, data, Path(args.out)
        self.rng = torch.Generator().manual_seed(args.seed)
        torch.manual_seed(args.seed)
        self.batches = Augmented(data.train, args.batch, self.rng)
        one_step = min(args.one_step_epochs, args.epochs)
        self.phases = (
            Phase("float", False, args.epochs, one_step, args.lr, warm_up=0.2),
            Phase("quantised", True, args.qat_epochs, 0, args.qat_lr, warm_up=0.1),
        )
        self.phase, self.epoch, self.seconds = 0, 0, 0.0
        self._enter(self.phases[0], None)

    def log(self, line: str) -> None:
        text = f"{time.strftime('%H:%M:%S')} {line}"
        print(text, flush=True)
        with (self.out / "log.txt").open("a") as file:
            file.write(text + "\n")

    def _enter(self, phase: Phase, weights: dict[str, Tensor] | None) -> None:
        self.net = build(phase.quantised)
        if weights is not None:
            self.net.load_state_dict(weights)
        self.optimiser = torch.optim.SGD(
            self.net.parameters(), lr=phase.learning_rate, momentum=0.9, nesterov=True, weight_decay=5e-4
        )

    def run(self) -> None:
        for number in range(self.phase, len(self.phases)):
            phase = self.phases[number]
            if number != self.phase:
                self.phase, self.epoch = number, 0
                self._enter(phase, self.net.state_dict())
            while self.epoch < phase.epochs:
                self._train_epoch(phase)
                self.epoch += 1
                self._store()
            write_atomically(
                {"state": self.net.state_dict(), "args": vars(self.args)}, self.out / f"{phase.name}.pt"
            )

    def _train_epoch(self, phase: Phase) -> None:
        started = time.perf_counter()
        self.net.train()
        self.net.timesteps = 1 if self.epoch < phase.one_step_epochs else TIMESTEPS
        loss_sum = 0.0
        bar = tqdm(
            self.batches, desc=f"{phase.name} {self.epoch + 1}/{phase.epochs}", disable=None, leave=False
        )
        for i, (pixels, labels) in enumerate(bar):
            rate = phase.rate((self.epoch + i / len(self.batches)) / phase.epochs)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            logits = self.net(self.net.normalise(pixels))
            loss = F.cross_entropy(logits, labels, label_smoothing=self.args.label_smoothing)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
            loss_sum += loss.item()
            if (i + 1) % 100 == 0:
                self._progress(phase, i + 1, loss_sum / (i + 1), time.perf_counter() - started)
        took = time.perf_counter() - started
        self.seconds += took
        correct = accuracy(self.net, self.data.validation)
        self.log(
            f"{phase.name} epoch {self.epoch + 1}/{phase.epochs} T={self.net.timesteps} lr {rate:.4f} "
            f"loss {loss_sum / len(self.batches):.4f} validation {correct:.2f} % ({took:.0f} s)"
        )

    def _progress(self, phase: Phase, batches: int, loss: float, seconds: float) -> None:
        """One line in a small file, for a run that has no terminal."""
        state = {"phase": phase.name, "epoch": self.epoch + 1, "batch": batches, "of": len(self.batches)}
        (self.out / "progress.json").write_text(json.dumps(state | {"loss": loss, "seconds": seconds}) + "\n")

    def _store(self) -> None:
        content = {
            "phase": self.phase,
            "epoch": self.epoch,
            "seconds": self.seconds,
            "model": self.net.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rng": self.rng.get_state(),
            "torch_rng": torch.get_rng_state(),
        }
        write_atomically(content, self.out / "checkpoint.pt")

    def resume(self) -> None:
        stored = torch.load(self.out / "checkpoint.pt", weights_only=True)
        self.phase, self.epoch, self.seconds = stored["phase"], stored["epoch"], stored["seconds"]
        self._enter(self.phases[self.phase], stored["model"])
        self.optimiser.load_state_dict(stored["optimiser"])
        self.rng.set_state(stored["rng"])
        torch.set_rng_state(stored["torch_rng"])
        self.log(f"resumed: {self.phases[self.phase].name}, {self.epoch} epochs done")


def load_network(path: Path) -> Network:
    """The network of ``float.pt`` or ``quantised.pt``, in evaluation mode."""
    net = build(quantised=path.stem == "quantised")
    net.load_state_dict(torch.load(path, weights_only=True)["state"])
    return net.eval()


def export(net: Network, path: Path) -> None:
    """Converts the quantised network and writes it as an .snn file."""
    import snncore

    model = snncore.from_torch(net, torch.zeros(1, 3, *PREPROCESS["size"]))
    model.save(path)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--epochs", type=int, default=22, help="epochs of the float parent")
    parser.add_argument(
        "--one-step-epochs", type=int, default=16, help="how many of them run one time step only"
    )
    parser.add_argument("--qat-epochs", type=int, default=6, help="epochs with the quantisers in the loop")
    parser.add_argument("--lr", type=float, default=0.05, help="peak learning rate, float parent")
    parser.add_argument("--qat-lr", type=float, default=0.015, help="peak learning rate, quantised")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--label-smoothing", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--out", default="runs/cifar10_vgg", help="folder for checkpoints, log and the exported file"
    )
    parser.add_argument(
        "--resume", action="store_true", help="continue from the checkpoint in --out, if there is one"
    )
    parser.add_argument("--no-export", action="store_true", help="stop after the checkpoints")
    parser.add_argument(
        "--quick", action="store_true", help="one epoch each on 2,000 images: does it run at all?"
    )
    args = parser.parse_args()
    if args.quick:
        args.epochs, args.one_step_epochs, args.qat_epochs = 2, 1, 1
    return args


def main() -> int:
    args = arguments()
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    try:
        data = cifar10.load(cache=out / "cifar10.npz")
    except cifar10.DataMissingError as missing:
        print(missing, file=sys.stderr)
        return 2
    if args.quick:
        few = [
            cifar10.Split(s.images[::k], s.labels[::k]) for s, k in ((data.train, 23), (data.validation, 10))
        ]
        data = cifar10.Cifar10(few[0], few[1], cifar10.Split(data.test.images[::10], data.test.labels[::10]))
    trainer = Trainer(args, data)
    if args.resume and (out / "checkpoint.pt").exists():
        trainer.resume()
    else:
        trainer.log(f"start: {json.dumps(vars(args))}")
    trainer.run()
    for name in ("float", "quantised"):
        correct = accuracy(load_network(out / f"{name}.pt"), data.test)
        trainer.log(f"{name}: test accuracy {correct:.2f} % on CIFAR-10 (JPEG), {len(data.test)} images")
    trainer.log(f"training took {trainer.seconds / 60:.0f} minutes")
    if not args.no_export:
        export(load_network(out / "quantised.pt"), out / "cifar10_vgg.snn")
        trainer.log(f"wrote {out / 'cifar10_vgg.snn'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
