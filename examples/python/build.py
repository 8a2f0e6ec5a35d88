"""Make a small network from NumPy arrays, run it, look at its spikes, save it. No PyTorch."""

import tempfile
from pathlib import Path

import numpy as np

import snncore

rng = np.random.default_rng(0)
b = snncore.GraphBuilder()
x = b.input("events", "b1", [2, 34, 34], layout="TNCHW")  # two polarities of an event camera
w = rng.integers(-8, 8, (16, 2, 3, 3)).astype(np.int8)  # 4-bit codes q, meaning 2q + 1
x = b.conv2d("conv", x, w, encoding="odd", bits=4, scale=[0.02], stride=2, padding=1)
x = b.lif("conv.lif", x, decay=0.5, threshold=1.0, reset="zero")
x = b.flatten("flat", b.maxpool2d("pool", x, 2))
w = rng.integers(-127, 128, (10, 16 * 8 * 8)).astype(np.int8)
b.output("logits", b.readout("logits", b.linear("fc", x, w, encoding="sym", bits=8, scale=[0.001])))
model = b.build(timesteps=10, labels=[str(digit) for digit in range(10)])
print(model.summary())

events = rng.random((10, 1, 2, 34, 34)) < 0.1
result = model.run(events, record=["conv.lif"])
print("label", model.labels[int(result.outputs[0].argmax())])
print(result.raster("conv.lif"))

path = Path(tempfile.mkdtemp()) / "events.snn"
model.save(path)
assert (snncore.load(path).run(events) == result.outputs).all()
