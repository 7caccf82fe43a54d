"""``python -m lg_stream_lint``."""

import sys

from lg_stream_lint.cli import main

sys.exit(main())
