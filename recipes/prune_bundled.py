"""Prune the bundled CIFAR-10 model without training and count what it still knows: docs/prune.md's table.

    python recipes/prune_bundled.py

Calibrates on 256 training images (seed 0), tests on all 10,000 test images of CIFAR-10 (JPEG): two minutes.
"""

from __future__ import annotations

from importlib.resources import files

import cifar10
import numpy as np

import snncore

RATIOS = (0.05, 0.1, 0.2)
CRITERIA = ("svs", "sca", "magnitude")


def main() -> None:
    """Print the report at a ratio of 0.1, then one line for each ratio and criterion."""
    data = cifar10.load()
    some = np.random.default_rng(0).permutation(len(data.train))[:256]
    calibration = np.ascontiguousarray(data.train.images[some].transpose(0, 3, 1, 2))
    images = np.ascontiguousarray(data.test.images.transpose(0, 3, 1, 2))

    def right(model: snncore.Model) -> float:
        batches = [images[i : i + 100] for i in range(0, len(images), 100)]
        labels = np.concatenate([model.run(batch, threads=2).argmax(1) for batch in batches])
        return 100 * float(np.mean(labels == data.test.labels))

    model = snncore.load(str(files("snncore") / "data" / "cifar10_vgg.snn"))
    print(snncore.prune(model, calibration=calibration, ratio=0.1)[1])
    print(f"unpruned: {model.file_bytes / 1024:.1f} KiB, {right(model):.1f} % right")
    for ratio in RATIOS:
        for criterion in CRITERIA:
            small, report = snncore.prune(model, calibration=calibration, ratio=ratio, criterion=criterion)
            left = 100 * report.weights_after / report.weights_before
            print(
                f"{ratio:4} {criterion:9} {small.file_bytes / 1024:.1f} KiB, {left:.1f} % of the weights, "
                f"{100 * (report.label_agreement or 0):.1f} % of the calibration labels stay, "
                f"{right(small):.1f} % right",
                flush=True,
            )


if __name__ == "__main__":
    main()
