"""Load a model, run an image, print the best three labels.

python classify.py [image.png] [net.snn]        (both default to what comes with the package)
"""

import sys

import snncore
from snncore.images import load_image
from snncore.tools.common import BUNDLED_MODEL, bundled_images

image = sys.argv[1] if len(sys.argv) > 1 else bundled_images()["ship"]
model = snncore.load(sys.argv[2] if len(sys.argv) > 2 else BUNDLED_MODEL)

picture = load_image(image, model)  # uint8 [3, 32, 32]; any PNG or JPEG is cut and scaled to fit
if picture.note:
    print(picture.note)
scores = model.run(picture.pixels[None], layout="NCHW")[0]
for i in (-scores).argsort(kind="stable")[:3]:
    print(f"{model.labels[i]:>12} {scores[i]:7.3f}")
