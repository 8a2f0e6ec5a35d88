"""Feed a model one step at a time: state lives in the session, and the spikes are those of a whole run."""

import numpy as np

import snncore
from snncore.tools.common import BUNDLED_MODEL, sample_input

model = snncore.load(BUNDLED_MODEL)
frame = sample_input(model, 1)

session = model.stream(layout="NCHW")
for step in range(model.timesteps):
    logits = session.step(frame)
    print(f"after step {step + 1}: {model.labels[int(logits[0].argmax())]}")
np.testing.assert_array_equal(logits, model.run(frame, layout="NCHW"))

state = session.save_state()  # bytes: to go on later, or elsewhere
session.reset()
session.load_state(state)
