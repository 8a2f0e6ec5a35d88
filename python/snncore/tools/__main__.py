"""``python -m snncore.tools``: the command line where the script `snncore` is not on the path."""

import sys

from .cli import main

sys.exit(main())
