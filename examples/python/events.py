"""Classify a recording of an event camera as it arrives: the session cuts the events into steps."""

import snncore
from snncore import events
from snncore.tools.common import DATA

model = snncore.load(DATA / "nmnist_cnn.snn")
recording = events.load(DATA / "recordings" / "7.bin")  # columns x, y, p, t
window_us = int(model.metadata["provenance"]["window_us"])

session = model.stream()
for first in range(0, len(recording.t), 500):  # as a camera would hand them over
    pushed = session.push_events(*(column[first : first + 500] for column in recording), window_us=window_us)
    if pushed.steps:
        print(f"{session.steps * window_us / 1000:.0f} ms: {model.labels[int(pushed.output[0].argmax())]}")
ended = session.flush_events()
print(f"end: {model.labels[int(ended.output[0].argmax())]}")
