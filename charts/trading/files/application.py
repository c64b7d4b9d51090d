"""The application's own container in the pod of a hook: asks it for its migrations, and runs them.

Standard library alone. Answers go into files for the engine's container, which judges them; so this
ends with 0 whatever the application said. `status`, `migrate` or `undo` is the only argument.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

WORK = Path(os.environ.get("SLIPWAY_WORK", "/run/slipway"))
DELIVERY = Path(os.environ.get("SLIPWAY_DELIVERY", "/etc/slipway/settings/delivery.json"))
LIMIT_SECONDS = float(os.environ.get("LIMIT_SECONDS", "280"))


def main():
    work, application = sys.argv[1], of_release()
    words = application["commands"].get("migrate")
    if words is None or (WORK / "skip").exists():
        return
    command = [sys.executable, "-m", application["module"], *words]
    if work == "undo":
        undo(command)
        return
    found = ask(command, "status", "status")
    kinds = [one.get("kind") for one in (found.get("answer") or {}).get("pending") or ()]
    if work == "migrate" and "expand" in kinds:
        ask(command, "up", "up", "--kind", "expand")
        ask(command, "after", "status")


def undo(command):
    wanted = WORK / "undo-to"
    if wanted.exists():
        ask(command, "down", "down", "--to", wanted.read_text())
        ask(command, "after", "status")


def of_release():
    document = json.loads(DELIVERY.read_text())
    return document["releases"][os.environ["SLIPWAY_RELEASE"]]["application"]


def ask(command, name, *words):
    """One command of the application, its answer kept as `<name>.json`."""
    try:
        done = subprocess.run(
            [*command, *words, "--output", "json"],
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
        found = {"code": done.returncode, "answer": answer(done.stdout), "errors": done.stderr}
    except subprocess.TimeoutExpired:
        found = {"code": None, "answer": None, "errors": f"no end in {LIMIT_SECONDS:g} s"}
    print(name, json.dumps(found), flush=True)
    making = WORK / f".{name}.json"
    making.write_text(json.dumps(found))
    making.replace(WORK / f"{name}.json")
    return found


def answer(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


main()
