"""Draws spikes.png: what the neurons of the bundled model fire for one bundled image. Needs Pillow.

python docs/img/spikes.py [class]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import snncore
from snncore.images import load_image
from snncore.tools.common import BUNDLED_MODEL, bundled_images

BOX, GAP, TEXT = 128, 12, 16
PAPER, INK, SPIKE, SILENCE = (255, 255, 255), (60, 60, 60), (217, 95, 2), (238, 238, 238)


def montage(spikes: np.ndarray) -> np.ndarray:
    """Tiles of as many channels as fit in the box: [C, H, W] to [BOX, BOX, 3]."""
    channels, height, width = spikes.shape
    picture = np.full((BOX, BOX, 3), PAPER, np.uint8)
    across = BOX // width
    for c in range(min(channels, across * (BOX // height))):
        top, left = c // across * height, c % across * width
        tile = np.where(spikes[c, :, :, None], SPIKE, SILENCE)
        picture[top : top + height, left : left + width] = tile
    return picture


def main() -> None:
    """Run the model and draw."""
    name = sys.argv[1] if len(sys.argv) > 1 else "ship"
    model = snncore.load(BUNDLED_MODEL)
    pixels = load_image(bundled_images()[name], model).pixels
    nodes = json.loads(model._core.document())["graph"]["nodes"]
    neurons = [n["name"] for n in nodes if n["op"] in ("lif", "if")]
    result = model.run(pixels[None], layout="NCHW", record=neurons)
    label = (model.labels or [])[int(result.outputs[0].argmax())]

    steps = model.timesteps
    row = BOX + GAP
    size = ((len(neurons) + 1) * (BOX + GAP) + GAP, TEXT + GAP + steps * row + TEXT)
    canvas = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(canvas)
    shown = Image.fromarray(pixels.transpose(1, 2, 0)).resize((BOX, BOX), Image.Resampling.NEAREST)
    canvas.paste(shown, (GAP, TEXT + GAP))
    draw.text((GAP, 4), f"{name}.png", INK)
    draw.text((GAP, TEXT + GAP + row), f"answer: {label}", INK)
    for i, neuron in enumerate(neurons):
        spikes = result.spikes[neuron].numpy()[:, 0]
        left = GAP + (i + 1) * (BOX + GAP)
        shape = " x ".join(map(str, spikes.shape[1:]))
        draw.text((left, 4), f"{neuron}: {shape}", INK)
        for t in range(steps):
            canvas.paste(Image.fromarray(montage(spikes[t])), (left, TEXT + GAP + t * row))
        draw.text((left, size[1] - TEXT - 4), f"{100 * spikes.mean():.1f} % fire", INK)
    canvas = canvas.resize((2 * size[0], 2 * size[1]), Image.Resampling.NEAREST)
    canvas.quantize(64).save(Path(__file__).with_name("spikes.png"), optimize=True)


if __name__ == "__main__":
    main()
