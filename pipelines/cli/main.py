"""Entry point of the command `slipway`: hands over, loads one command, gives the exit code."""

from __future__ import annotations

import sys

from pipelines.cli.hand_over import hand_over


def main() -> None:
    """Run the command line of this process and exit with the code `run` returns."""
    arguments = sys.argv[1:]
    try:
        hand_over(arguments)
        from pipelines.cli.commands import run  # only after the hand-over: click costs 40 ms

        code = run(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
