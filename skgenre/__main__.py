"""Run the command line as ``python -m skgenre``."""

import sys

from skgenre.cli import main

if __name__ == "__main__":
    sys.exit(main())
