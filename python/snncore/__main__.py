"""``python -m snncore``: the command line where the script `snncore` is not on the path."""

import sys

from .tools.cli import main

sys.exit(main())
