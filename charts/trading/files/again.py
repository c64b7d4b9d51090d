"""Runs a command, and again at once whenever it ends well; anything else ends this as well.

A process that must be alone ends with 0 when its lease was taken, to stand by afresh. The kubelet
would wait longer and longer before it starts that again, and the way back would have no trader.
"""

import signal
import subprocess
import sys
import time

SHORTEST_SECONDS = 1.0
child = None
ending = False


def end(number, _):
    global ending
    ending = True
    if child is not None and child.poll() is None:
        child.send_signal(number)


signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, end)
code = 0
while code == 0 and not ending:
    began = time.monotonic()
    child = subprocess.Popen(sys.argv[1:])
    if ending:
        child.terminate()
    code = child.wait()
    if code == 0 and not ending:
        print("ended well; started again", flush=True)
        time.sleep(max(0.0, SHORTEST_SECONDS - (time.monotonic() - began)))
sys.exit(code if code >= 0 else 128 - code)
