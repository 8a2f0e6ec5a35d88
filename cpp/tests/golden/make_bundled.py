"""Write what test_bundled.cc compares with: ten real images, and the reference's integer logits of 110.

    python cpp/tests/golden/make_bundled.py

Run it when the bundled model changes. Needs torch. tests/python/test_bundled.py sees that the files are
current.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
IMAGES, LOGITS = FOLDER / "cifar10_vgg.images", FOLDER / "cifar10_vgg.logits"


def random_images(count: int) -> np.ndarray:
    """The images of random pixels that test_bundled.cc computes for itself, uint8 [count, 3, 32, 32]."""
    i = np.arange(count * 3 * 32 * 32, dtype=np.uint32)
    for _ in range(2):
        i = (i ^ (i >> 16)) * np.uint32(0x45D9F3B)
    return (i >> 16).astype(np.uint8).reshape(count, 3, 32, 32)


def main() -> None:
    import snncore
    from snncore.images import load_image
    from snncore.reference.run import run
    from snncore.tools.common import BUNDLED_MODEL, bundled_images

    model = snncore.load(BUNDLED_MODEL)
    real = np.stack([load_image(path, model).pixels for path in bundled_images().values()])
    logits = run(BUNDLED_MODEL, np.concatenate([real, random_images(100)]), record=["logits.sum"], batch=55)
    IMAGES.write_bytes(real.tobytes())
    LOGITS.write_bytes(logits.sums["logits"].numpy().astype("<i4").tobytes())


if __name__ == "__main__":
    main()
