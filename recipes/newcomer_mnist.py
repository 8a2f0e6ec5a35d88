"""A small SpikingJelly CNN on MNIST, as somebody might bring it along: what docs/quantize.md starts from.

    python recipes/newcomer_mnist.py --data FOLDER --out mnist_cnn.pt

About two minutes on one core. FOLDER holds t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz, perhaps
with mnist- before their names: the first 8,000 of those images train, the other 2,000 test. Needs
spikingjelly; nothing here is snncore's.
"""

from __future__ import annotations

import argparse
import gzip
import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from spikingjelly.activation_based import functional, layer, neuron, surrogate
from torch import Tensor, nn
from training import cosine_rate, share_text, write_atomically

TRAINED, STEPS, BATCH = 8000, 4, 50


def network() -> nn.Sequential:
    """Give the network: 16 and 32 channels, 20,570 weights, all time steps in one call."""

    def lif() -> nn.Module:
        return neuron.LIFNode(surrogate_function=surrogate.ATan())

    net = nn.Sequential(
        layer.Conv2d(1, 16, 3, padding=1, bias=False), layer.BatchNorm2d(16), lif(), layer.MaxPool2d(2),
        layer.Conv2d(16, 32, 3, padding=1, bias=False), layer.BatchNorm2d(32), lif(), layer.MaxPool2d(2),
        layer.Flatten(), layer.Linear(32 * 7 * 7, 10),
    )  # fmt: skip
    functional.set_step_mode(net, "m")
    return net


def mnist(folder: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read images uint8 [10000, 1, 28, 28] and labels int64 [10000]."""
    images, labels = (_read(Path(folder), f"t10k-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1"))
    return np.frombuffer(images[16:], np.uint8).reshape(-1, 1, 28, 28), np.frombuffer(
        labels[8:], np.uint8
    ).astype(np.int64)


def _read(folder: Path, name: str) -> bytes:
    path = next((p for p in (folder / name, folder / f"mnist-{name}") if p.is_file()), None)
    if path is None:
        raise SystemExit(f"'{name}' is not in '{folder}'; --data or SNNCORE_DATA names the folder")
    return gzip.decompress(path.read_bytes())


def frames(images: np.ndarray) -> Tensor:
    """Show each image, as values 0..1, at every step: [T, N, 1, 28, 28]."""
    return (torch.from_numpy(images.copy()).float() / 255).expand(STEPS, *images.shape)


def train(net: nn.Module, images: np.ndarray, labels: np.ndarray, epochs: int) -> None:
    """Adam, a cosine to 0; logits are averaged over time."""
    optimiser = torch.optim.Adam(net.parameters())
    steps = epochs * (len(images) // BATCH)
    order = np.concatenate([torch.randperm(len(images)).numpy() for _ in range(epochs)])
    for step in range(steps):
        rows = order[step * BATCH : (step + 1) * BATCH]
        optimiser.param_groups[0]["lr"] = cosine_rate(2e-3, step / steps, 0.05)
        loss = F.cross_entropy(net(frames(images[rows])).mean(0), torch.from_numpy(labels[rows]))
        functional.reset_net(net)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 40 == 0:
            print(f"step {step} of {steps}: loss {loss.item():.3f}", flush=True)


@torch.no_grad()
def right(net: nn.Module, images: np.ndarray, labels: np.ndarray) -> int:
    """Count the images that are classified rightly."""
    count = 0
    for start in range(0, len(images), 200):
        logits = net(frames(images[start : start + 200])).mean(0)
        functional.reset_net(net)
        count += int((logits.argmax(1).numpy() == labels[start : start + 200]).sum())
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("SNNCORE_DATA", "."))
    parser.add_argument("--out", type=Path, default=Path("mnist_cnn.pt"))
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    images, labels = mnist(options.data)
    net = network()
    train(net, images[:TRAINED], labels[:TRAINED], options.epochs)
    write_atomically(net.state_dict(), options.out)
    net.eval()
    test = images[TRAINED:], labels[TRAINED:]
    print(f"test images: {share_text(right(net, *test), len(test[0]))}; written: {options.out}")


if __name__ == "__main__":
    main()
