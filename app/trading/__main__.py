"""`python -m trading`: the same as the command `trading`."""

import sys

from trading.cli import main

if __name__ == "__main__":
    sys.exit(main())
