"""The system-call filter: classic BPF over `struct seccomp_data`, by ctypes alone.

Layout and actions: Documentation/userspace-api/seccomp_filter.rst of the Linux kernel. Two filters
are installed one after the other; the kernel takes the stricter answer of the two.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from .syscalls import ARCHITECTURES, Architecture

_SET_MODE_FILTER = 1
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_X32_BIT = 0x40000000
_CLONE_THREAD = 0x00010000
# O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND: anything but reading
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_DENY = _ERRNO | errno.EPERM

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def program(architecture: Architecture, loading: bool) -> list[Instruction]:
    """The filter's instructions. `loading`: files may be opened for reading."""
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, architecture.audit),
        (_RETURN, 0, 0, _KILL),  # another architecture's numbers would mean other calls
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_AT_LEAST, 0, 1, _X32_BIT),
        (_RETURN, 0, 0, _DENY),
    ]
    allowed = dict(architecture.always)
    if loading:
        allowed |= architecture.while_loading
    for number in sorted(allowed.values()):
        code += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    # glibc falls back to clone, whose flags a filter can read; those of clone3 lie in memory.
    code += [
        (_JUMP_EQUAL, 0, 1, architecture.clone3),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
    ]
    code += _if_bits(architecture.clone, 0, _CLONE_THREAD, set_=_ALLOW, clear=_DENY)
    code += _if_zero(architecture.prlimit64, 2)
    if loading:
        code += _if_bits(architecture.openat, 2, _WRITING, set_=_DENY, clear=_ALLOW)
    return [*code, (_RETURN, 0, 0, _DENY)]


def _if_bits(number: int, argument: int, bits: int, set_: int, clear: int) -> list[Instruction]:
    """Of call `number`: the answer by whether any of `bits` is set in an argument."""
    return [
        (_JUMP_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _ARGUMENTS + 8 * argument),
        (_JUMP_SET, 0, 1, bits),
        (_RETURN, 0, 0, set_),
        (_RETURN, 0, 0, clear),
    ]


def _if_zero(number: int, argument: int) -> list[Instruction]:
    """Of call `number`: allowed where a pointer argument is NULL (both halves of it)."""
    low = _ARGUMENTS + 8 * argument
    return [
        (_JUMP_EQUAL, 0, 6, number),
        (_LOAD, 0, 0, low),
        (_JUMP_EQUAL, 0, 3, 0),
        (_LOAD, 0, 0, low + 4),
        (_JUMP_EQUAL, 0, 1, 0),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _DENY),
    ]


def install(libc: ctypes.CDLL, loading: bool) -> None:
    """Put the filter on this process, for good; needs no_new_privs. Raises `OSError`."""
    machine = os.uname().machine
    if machine not in ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no system-call table for {machine!r}")
    code = program(ARCHITECTURES[machine], loading)
    raw = b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
    buffer = ctypes.create_string_buffer(raw, len(raw))
    filter_ = _Program(len(code), ctypes.addressof(buffer))
    call = ctypes.c_long(ARCHITECTURES[machine].seccomp)
    if libc.syscall(call, _SET_MODE_FILTER, 0, ctypes.byref(filter_)):
        number = ctypes.get_errno()
        raise OSError(number, f"the system-call filter was refused: {os.strerror(number)}")
