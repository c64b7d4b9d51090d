"""Run as a script, with the standard library alone: becomes the process it is asked for.

    supervised_child.py PARENT ORDER PIDFILE LOG CWD KEEP -- ARGV…

PARENT: pid of the supervisor, 0 for a process that may outlive it. ORDER: the file without which
nothing may run. KEEP: file descriptors to keep, with commas. It stays the same pid all the way.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    # Until the process installs its handler, SIGUSR1 would end it; ignoring is inherited.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    parent, order, pidfile, log, cwd, keep = sys.argv[1:7]
    if parent != "0":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != int(parent):
            sys.exit("supervisor is gone")
    # First say who I am, then look whether I may: whoever withdraws the order does it the other
    # way round (withdraw, then look for me), so one of us sees the other.
    write_pidfile(pidfile)
    if not os.path.exists(order):
        sys.exit(0)
    stream = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    close_all_but({int(number) for number in keep.split(",") if number})
    os.chdir(cwd)
    argv = sys.argv[8:]
    os.execv(argv[0], argv)  # noqa: S606 - no shell is the point


def write_pidfile(path: str) -> None:
    with open("/proc/self/stat") as stream:
        text = stream.read()
    ticks = text[text.rindex(")") + 2 :].split()[19]
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w") as stream:
        stream.write(f"{os.getpid()} {ticks}\n")
    os.replace(temporary, path)


def close_all_but(keep: set[int]) -> None:
    for name in os.listdir("/proc/self/fd"):
        number = int(name)
        if number > 2 and number not in keep:
            try:  # noqa: SIM105 - contextlib would double the start time
                os.close(number)
            except OSError:
                pass  # the descriptor of the listing itself


if __name__ == "__main__":
    main()
