"""The hooks of the origin: the installed engine judges every push, and no engine means no push.

`-I`: neither the pusher's environment nor the folder it stands in decides which code judges.
"""

from __future__ import annotations

_FIND = """#!/bin/sh
# Written by `slipway up`; changes are lost.
state=$(cd "$(dirname "$0")/../.." && pwd -P)
python=$state/engine/current/bin/python
"""

_UPDATE = (
    _FIND
    + """# $1 ref, $2 old commit, $3 new commit. Any answer but 0 refuses.
if ! [ -x "$python" ]; then
  echo "slipway: no engine is installed at $state, so nothing can judge $1: refused" >&2
  echo "slipway: install it: slipway up" >&2
  exit 1
fi
"$python" -I -m pipelines.cli.receive update "$state" "$1" "$2" "$3" && exit 0
code=$?
if [ "$code" -ne 1 ]; then
  echo "slipway: the engine at $state could not judge $1 (exit code $code): refused" >&2
  echo "slipway: look at the machine: slipway doctor" >&2
fi
exit 1
"""
)

_POST_RECEIVE = (
    _FIND
    + """# Queues a check for each branch that came. The push has happened: nothing here can fail it.
exec "$python" -I -m pipelines.cli.receive post-receive "$state"
"""
)

HOOKS = {"update": _UPDATE, "post-receive": _POST_RECEIVE}
"""File name → text, all with mode 0755."""
