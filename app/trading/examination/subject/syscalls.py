"""System calls a child may make, by architecture (Linux's `unistd` tables). All others are EPERM.

Names are for people; the filter needs the numbers. `openat` is for reading only, and only until
the strategy is loaded; `clone` makes threads only; `prlimit64` may ask, not set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Architecture:
    """`audit` is AUDIT_ARCH_* of <linux/audit.h>."""

    audit: int
    always: Mapping[str, int]
    while_loading: Mapping[str, int]
    openat: int
    clone: int
    clone3: int
    prlimit64: int
    seccomp: int


_X86_64 = Architecture(
    audit=0xC000003E,
    always={
        "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9,
        "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14,
        "rt_sigreturn": 15, "ioctl": 16, "pread64": 17, "readv": 19, "writev": 20,
        "sched_yield": 24, "mremap": 25, "madvise": 28, "nanosleep": 35, "getpid": 39, "exit": 60,
        "uname": 63, "fcntl": 72, "gettimeofday": 96, "getrusage": 98, "sysinfo": 99,
        "getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108, "getppid": 110,
        "sigaltstack": 131, "arch_prctl": 158, "gettid": 186, "time": 201, "futex": 202,
        "sched_getaffinity": 204, "clock_gettime": 228, "clock_nanosleep": 230,
        "exit_group": 231, "set_robust_list": 273, "getrandom": 318, "membarrier": 324,
        "rseq": 334,
    },
    while_loading={
        "stat": 4, "lstat": 6, "access": 21, "getcwd": 79, "readlink": 89, "getdents64": 217,
        "newfstatat": 262, "readlinkat": 267, "faccessat": 269, "statx": 332, "faccessat2": 439,
        "seccomp": 317,
    },
    openat=257, clone=56, clone3=435, prlimit64=302, seccomp=317,
)  # fmt: skip

_AARCH64 = Architecture(
    audit=0xC00000B7,
    always={
        "read": 63, "write": 64, "close": 57, "fstat": 80, "ppoll": 73, "lseek": 62, "mmap": 222,
        "mprotect": 226, "munmap": 215, "brk": 214, "rt_sigaction": 134, "rt_sigprocmask": 135,
        "rt_sigreturn": 139, "ioctl": 29, "pread64": 67, "readv": 65, "writev": 66,
        "sched_yield": 124, "mremap": 216, "madvise": 233, "nanosleep": 101, "getpid": 172,
        "exit": 93, "uname": 160, "fcntl": 25, "gettimeofday": 169, "getrusage": 165,
        "sysinfo": 179, "getuid": 174, "geteuid": 175, "getgid": 176, "getegid": 177,
        "getppid": 173, "sigaltstack": 132, "gettid": 178, "futex": 98, "sched_getaffinity": 123,
        "clock_gettime": 113, "clock_nanosleep": 115, "exit_group": 94, "set_robust_list": 99,
        "getrandom": 278, "membarrier": 283, "rseq": 293,
    },
    while_loading={
        "getcwd": 17, "faccessat": 48, "getdents64": 61, "readlinkat": 78, "newfstatat": 79,
        "statx": 291, "faccessat2": 439, "seccomp": 277,
    },
    openat=56, clone=220, clone3=435, prlimit64=261, seccomp=277,
)  # fmt: skip

ARCHITECTURES = {"x86_64": _X86_64, "aarch64": _AARCH64}
