#!/usr/bin/env -S python3 -B
"""The harness itself: whatever a machine does but end well, tools/qemu notices,
and tells the ways to fail apart."""

import os
import re
import struct

from boot import PORTS, TOP, Kernel, Tap, boot, tail

# Machine code to break a kernel with.
RETURN = {"x86": b"\xc3", "riscv": struct.pack("<H", 0x8082)}
LOOP = {"x86": b"\xeb\xfe", "riscv": struct.pack("<I", 0x0000006f)}
# lui a7, 0x53525; addi a7, a7, 0x354; li a6, 0; li a0, 0; li a1, 0; ecall:
# the firmware's shutdown, which cannot carry a status.
SHUT_DOWN = struct.pack("<6I", 0x535258b7, 0x35488893, 0x00000813, 0x00000513,
                        0x00000593, 0x00000073)


def without_a_word(kernel):
    """Code that ends the machine as if somebody had closed it."""
    if PORTS[kernel.mmu] == "riscv":
        return SHUT_DOWN
    # lidt of an empty table that lies behind; int3: a triple fault.
    table = kernel.symbols["ktest_run"] + 8
    return b"\x0f\x01\x1d" + struct.pack("<I", table) + b"\xcc" + bytes(6)


def check_log(tap, name, said):
    saved = re.search(r"build/logs/\S+\.log", said)
    path = os.path.join(TOP, saved[0]) if saved else "no log is named"
    good = os.path.exists(path) and os.path.getsize(path) > 0
    tap.ok(good, f"{name}: the console was saved", said)


def expect(tap, mmu, wanted, name, **settings):
    status, console, said = boot(mmu, **settings)
    tap.equal(status, wanted, f"{mmu}: {name}: {wanted}", said + tail(console))
    if wanted and "KERNEL" not in settings:
        check_log(tap, f"{mmu}: {name}", said)
    return console


def well(tap, mmu):
    expect(tap, mmu, 0, "poweroff in the shell", KTAP="0", keys="poweroff\r")
    said = expect(tap, mmu, 0, "an unknown word before a test",
                  CMDLINE="frobnicate test=pmm")
    tap.matches(said, r'there is no "frobnicate"; ignored',
                f"{mmu}: the unknown word is reported")


def badly(tap, mmu):
    expect(tap, mmu, 1, "a test that does not exist", CMDLINE="test=nonesuch")
    expect(tap, mmu, 1, "a benchmark that does not exist",
           CMDLINE="bench=nonesuch", KTAP="0")
    expect(tap, mmu, 2, "a panic", keys="fault null\r")
    expect(tap, mmu, 3, "waits for ever", TIMEOUT="2")
    expect(tap, mmu, 3, "good status, no tests", keys="poweroff\r")


def broken(tap, mmu):
    """Kernels that we broke ourselves, all told to run tests."""
    port = PORTS[mmu]
    leaking = Kernel(mmu).patch("kfree", RETURN[port]).save()
    expect(tap, mmu, 1, "a kernel whose kfree does nothing",
           CMDLINE="test=kheap", KERNEL=leaking)
    hanging = Kernel(mmu).patch("ktest_run", LOOP[port]).save()
    expect(tap, mmu, 3, "a kernel that hangs in its tests", TIMEOUT="2",
           CMDLINE="test=pmm", KERNEL=hanging)
    kernel = Kernel(mmu)
    silent = kernel.patch("ktest_run", without_a_word(kernel)).save()
    expect(tap, mmu, 3, "a kernel that ends without a word",
           CMDLINE="test=pmm", KERNEL=silent)
    expect(tap, mmu, 3, "no kernel at all", KERNEL="/nonexistent")


def main():
    tap = Tap()
    for mmu in PORTS:
        well(tap, mmu)
    # What QEMU's status means depends on the port only.
    for mmu in ("i386", "sv39"):
        badly(tap, mmu)
        broken(tap, mmu)
    tap.done()


main()
