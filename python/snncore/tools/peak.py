"""How much memory a subject takes: run by `snncore bench` as a process of its own, prints bytes.

python -m snncore.tools.peak MODEL SUBJECT THREADS BATCH
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path


def measure(model: str, subject: str, threads: int, batch: int) -> int | None:
    """Start a fresh process that loads and runs `subject`; None where that fails."""
    command = [sys.executable, "-m", "snncore.tools.peak", model, subject, str(threads), str(batch)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(done.stdout.split()[-1]) if done.returncode == 0 else None


def peak_rss() -> int:
    """Give this process's peak. Linux: VmHWM, since the peak of getrusage counts that of the parent too."""
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def main() -> None:
    """Load, run three times, print."""
    from .common import load_model, sample_input
    from .subjects import ours, peer

    path, name, threads, batch = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    model = load_model(path)
    batches = [sample_input(model, batch)]
    make = ours(model, batches, threads) if name == "snncore" else peer(name, model, batches, threads)
    make.prepare()
    for _ in range(3):
        make.run(0)
    print(peak_rss())


if __name__ == "__main__":
    main()
