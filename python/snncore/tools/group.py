"""The commands, put together."""

from __future__ import annotations

import click

import snncore

from .bench import bench
from .convert import convert
from .demo import demo
from .index import index
from .inspect import inspect
from .profile import profile
from .prune import prune
from .quantize import quantize
from .run import run
from .verify import verify


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(snncore.__version__, prog_name="snncore")
def group() -> None:
    """Run binary and quantised spiking networks on ordinary CPUs.

    SNNCORE_ISA forces a kernel level (scalar, avx2, ...), SNNCORE_NUM_THREADS sets the number of threads.
    """
    snncore.isa()  # an unknown level in SNNCORE_ISA is reported before anything else


for _command in (demo, run, inspect, bench, profile, verify, convert, quantize, prune, index):
    group.add_command(_command)
