"""`python -m kre` is `kre`."""

import sys

from kre.cli.main import main

sys.exit(main())
