"""Trains the bundled event model: a small spiking CNN on 1,000 recordings of N-MNIST, 4 and 8 bit weights.

    SNNCORE_DATA=... python recipes/nmnist_cnn.py --out runs/nmnist_cnn

``--validate`` holds back 200 training recordings and never reads the test recordings: that is how choices
are made. ``--folds 5`` cross-validates over all 1,100 recordings. ``--evaluate FILE`` counts what a .snn file
gets right on the test recordings, from raw events. Run it again with ``--resume`` to continue where it
stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nmnist
import numpy as np
import torch
import torch.nn.functional as F
from nmnist import SENSOR, Split
from torch import Tensor, nn
from tqdm import tqdm
from training import Log, cosine_rate, share_text, write_atomically

import snncore
from snncore.reference import LIF, Conv2d, Linear, Network, WeightQuantizer

WINDOW_US = 34_000  #: of one time step
TIMESTEPS = 10

OUTER = WeightQuantizer("symmetric", bits=8, granularity="channel")
INNER = WeightQuantizer("rescaw", bits=4, granularity="channel", gamma="mean", factor=True, ste="paper")
LAST = WeightQuantizer("symmetric", bits=8, granularity="layer")


def build(width: int, decay: float) -> Network:
    """34x34 events to 17x17, 8x8 and 4x4 spikes; the quantisers are in the loop from the first step."""

    def block(first: int, last: int, quantizer: WeightQuantizer, **geometry: int) -> list[nn.Module]:
        conv = Conv2d(first, last, bias=False, quantizer=quantizer, **geometry)
        return [conv, nn.BatchNorm2d(last), LIF(decay=decay, threshold=1.0, reset="zero")]

    layers = [
        *block(SENSOR[0], width, OUTER, kernel_size=5, stride=2, padding=2),
        nn.MaxPool2d(2),  # on spikes: an OR
        *block(width, 2 * width, INNER, kernel_size=3, padding=1),
        nn.MaxPool2d(2),
        *block(2 * width, 4 * width, INNER, kernel_size=3, padding=1),
        nn.Flatten(),
        nn.Dropout(0.2),
        Linear(4 * width * 16, len(nmnist.LABELS), quantizer=LAST),
    ]
    return Network(nn.Sequential(*layers), timesteps=TIMESTEPS, labels=nmnist.LABELS)


class Packed:
    """All events of a split in a row, and where each recording begins."""

    def __init__(self, split: Split) -> None:
        self.x, self.y, self.p, self.t = (
            torch.from_numpy(np.concatenate([r[i] for r in split.recordings]).astype(np.int64))
            for i in range(4)
        )
        lengths = torch.tensor([len(r.t) for r in split.recordings])
        self.sample = torch.arange(len(split)).repeat_interleave(lengths)
        self.labels = torch.from_numpy(split.labels)

    def spikes(self, x: Tensor, y: Tensor, t: Tensor) -> Tensor:
        """Set a bit for each event that is on the sensor: bool [N, T, C, H, W]."""
        channels, height, width = SENSOR
        step = t.div(WINDOW_US, rounding_mode="floor")
        kept = (x >= 0) & (x < width) & (y >= 0) & (y < height) & (step >= 0) & (step < TIMESTEPS)
        out = torch.zeros(len(self.labels), TIMESTEPS, channels, height, width, dtype=torch.bool)
        out[self.sample[kept], step[kept], self.p[kept], y[kept], x[kept]] = True
        return out

    def plain(self) -> Tensor:
        """Give the spikes as a session bins them."""
        return self.spikes(self.x, self.y, self.t)

    def augmented(self, rng: torch.Generator) -> Tensor:
        """Turn, scale, shear and shift the events of each recording a little, and stretch its time."""
        n = len(self.labels)

        def uniform(width: float) -> Tensor:
            return ((torch.rand(n, generator=rng) * 2 - 1) * width)[self.sample]

        angle, shear, scale_x, scale_y = uniform(0.26), uniform(0.2), 1 + uniform(0.15), 1 + uniform(0.15)
        centre = (SENSOR[1] - 1) / 2
        x, y = (self.x - centre) * scale_x, (self.y - centre) * scale_y
        x = x + shear * y
        turned_x = x * angle.cos() - y * angle.sin() + centre + uniform(2.5)
        turned_y = x * angle.sin() + y * angle.cos() + centre + uniform(2.5)
        kept_x, kept_y = turned_x.round().long(), turned_y.round().long()
        dropped = torch.rand(len(self.t), generator=rng) < 0.1 * torch.rand(n, generator=rng)[self.sample]
        t = (self.t * (1 + uniform(0.05)) + uniform(8_000)).clamp_(min=0).long()
        return self.spikes(torch.where(dropped, -1, kept_x), kept_y, t)


class Trainer:
    """Trains one network, storing everything needed to continue after each epoch."""

    def __init__(self, args: argparse.Namespace, train: Split, held_out: Split | None, out: Path) -> None:
        self.args, self.out = args, out
        self.train, self.held_out = Packed(train), None if held_out is None else Packed(held_out)
        self.log = Log(out / "log.txt")
        self.rng = torch.Generator().manual_seed(args.seed)
        torch.manual_seed(args.seed)
        self.net = build(args.width, args.decay)
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=args.lr, weight_decay=args.weight_decay)
        self.epoch, self.seconds = 0, 0.0

    def run(self) -> Network:
        """Train to the end; give the network in evaluation mode."""
        while self.epoch < self.args.epochs:
            self._train_epoch()
            self.epoch += 1
            self._store()
        return self.net.eval()

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        spikes = self.train.augmented(self.rng)
        order = torch.randperm(len(spikes), generator=self.rng)
        for index in order.split(self.args.batch)[: self._count()]:
            yield spikes[index].transpose(0, 1).float(), self.train.labels[index]

    def _count(self) -> int:
        return len(self.train.labels) // self.args.batch

    def _train_epoch(self) -> None:
        started = time.perf_counter()
        self.net.train()
        loss_sum = 0.0
        bar = tqdm(
            self._batches(), f"epoch {self.epoch + 1}/{self.args.epochs}", self._count(), False, disable=None
        )
        for i, (spikes, labels) in enumerate(bar):
            rate = cosine_rate(self.args.lr, (self.epoch + i / self._count()) / self.args.epochs, 0.1)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            logits = self.net(spikes)
            loss = F.cross_entropy(logits * self.args.sharpness, labels, label_smoothing=0.05)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
            loss_sum += loss.item()
        took = time.perf_counter() - started
        self.seconds += took
        line = f"epoch {self.epoch + 1}/{self.args.epochs} loss {loss_sum / self._count():.4f} ({took:.0f} s)"
        if self.held_out is not None and (self.epoch % 5 == 4 or self.epoch + 1 == self.args.epochs):
            line += f" held out {share_text(right(self.net, self.held_out), len(self.held_out.labels))}"
        self.log(line)

    def _store(self) -> None:
        content = {
            "epoch": self.epoch,
            "seconds": self.seconds,
            "model": self.net.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rng": self.rng.get_state(),
            "torch_rng": torch.get_rng_state(),
        }
        write_atomically(content, self.out / "checkpoint.pt")

    def resume(self) -> None:
        """Continue from the checkpoint, if there is one."""
        path = self.out / "checkpoint.pt"
        if not path.exists():
            return
        stored = torch.load(path, weights_only=True)
        self.epoch, self.seconds = stored["epoch"], stored["seconds"]
        self.net.load_state_dict(stored["model"])
        self.optimiser.load_state_dict(stored["optimiser"])
        self.rng.set_state(stored["rng"])
        torch.set_rng_state(stored["torch_rng"])
        self.log(f"resumed: {self.epoch} epochs done")


@torch.no_grad()
def right(net: Network, packed: Packed) -> int:
    """Count right answers of the PyTorch network, in evaluation mode."""
    net.eval()
    spikes = packed.plain()
    answers = [net(part.transpose(0, 1).float()).argmax(dim=1) for part in spikes.split(100)]
    return int((torch.cat(answers) == packed.labels).sum())


def export(net: Network, path: Path) -> snncore.Model:
    """Convert and write the .snn file; its provenance says how long a window is."""
    example = torch.zeros(TIMESTEPS, 1, *SENSOR, dtype=torch.bool)
    model = snncore.from_torch(
        net, example, name="nmnist_cnn", provenance={"window_us": str(WINDOW_US)}, progress=False
    )
    model.save(path)
    return model


def evaluate(model: snncore.Model, split: Split) -> tuple[int, float]:
    """Count right answers from raw events, and measure microseconds (CPU) for each millisecond of events."""
    count, spent, lasted = 0, 0.0, 0.0
    for recording, label in zip(split.recordings, split.labels, strict=True):
        with model.stream(threads=1) as session:
            started = time.thread_time()  # the session runs on this thread
            session.push_events(*recording, window_us=WINDOW_US)
            logits = session.flush_events().output
            spent += time.thread_time() - started
        count += int(logits.argmax() == label)
        lasted += float(recording.t[-1] - recording.t[0]) / 1000
    return count, 1e6 * spent / lasted


def cross_validate(args: argparse.Namespace, out: Path, log: Log) -> None:
    """Train `folds` networks, each on the recordings that the others are tested on, and count raw events."""
    train, test = nmnist.load("train"), nmnist.load("test")
    everything = Split(
        train.recordings + test.recordings,
        np.concatenate([train.labels, test.labels]),
        train.numbers + test.numbers,
    )
    order = np.random.default_rng(args.seed).permutation(len(everything))
    total = 0
    for fold in range(args.folds):
        folder = out / f"fold{fold}"
        folder.mkdir(parents=True, exist_ok=True)
        held = order[fold :: args.folds]
        trainer = Trainer(args, everything[np.setdiff1d(order, held)], None, folder)
        if args.resume:
            trainer.resume()
        count, _ = evaluate(export(trainer.run(), folder / "nmnist_cnn.snn"), everything[held])
        log(f"fold {fold + 1}/{args.folds}: {share_text(count, len(held))}")
        total += count
    log(f"{args.folds} folds of all recordings: {share_text(total, len(everything))}")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=3e-3, help="peak learning rate")
    parser.add_argument("--weight-decay", type=float, default=1e-2)
    parser.add_argument("--sharpness", type=float, default=1.0, help="factor of the logits in the loss")
    parser.add_argument("--width", type=int, default=16, help="channels of the first convolution")
    parser.add_argument("--decay", type=float, default=0.5, help="of the membranes, a step")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", default="runs/nmnist_cnn", help="folder for checkpoint, log and file")
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint in --out")
    parser.add_argument("--quick", action="store_true", help="two epochs of 200 recordings: does it run?")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--validate", action="store_true", help="hold back 200 training recordings")
    what.add_argument("--folds", type=int, default=0, help="cross-validate over all recordings")
    what.add_argument("--evaluate", metavar="FILE", help="only count what a .snn file gets right")
    args = parser.parse_args()
    if args.quick:
        args.epochs = 2
    return args


def run(args: argparse.Namespace) -> None:
    """Do what the arguments say."""
    out = Path(args.out)
    if args.evaluate:
        test = nmnist.load("test")
        count, cost = evaluate(snncore.load(args.evaluate), test)
        print(f"{args.evaluate}: {share_text(count, len(test))} test recordings of N-MNIST, from raw events")
        print(f"{cost:.2f} microseconds for each millisecond of events (kernels {snncore.isa()})")
        return
    out.mkdir(parents=True, exist_ok=True)
    log = Log(out / "log.txt")
    log(f"start: {json.dumps(vars(args))}")
    if args.folds:
        cross_validate(args, out, log)
        return
    train, held_out = nmnist.load("train"), None
    if args.quick:
        train = train[np.arange(200)]
    if args.validate:
        train, held_out = (
            train[np.arange(len(train) - nmnist.VALIDATION)],
            train[np.arange(len(train) - nmnist.VALIDATION, len(train))],
        )
    trainer = Trainer(args, train, held_out, out)
    if args.resume:
        trainer.resume()
    net = trainer.run()
    log(f"training took {trainer.seconds / 60:.1f} minutes")
    if args.validate:
        return
    model = export(net, out / "nmnist_cnn.snn")
    test = nmnist.load("test")
    count, _ = evaluate(model, test)
    log(f"wrote {out / 'nmnist_cnn.snn'}, {model.file_bytes} bytes")
    log(f"test, from raw events: {share_text(count, len(test))}")


def main() -> int:
    """Run the recipe."""
    args = arguments()
    torch.set_num_threads(args.threads)
    try:
        run(args)
    except nmnist.DataMissingError as missing:
        print(missing, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
