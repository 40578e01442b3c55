#!/usr/bin/env -S python3 -B
"""All in-kernel tests with each choice of frame manager and heap that is not the
usual one, and with the heap's debugging on, on machines of either word size."""

import os

from boot import TOP, Tap, boot

CHOICES = [("i386", "buddy-tagged"), ("sv39", "buddy-tagged"),
           ("pae", "bitmap-slab"), ("sv48", "bitmap-slab"),
           ("sv32", "buddy-slab"), ("sv39", "buddy-slab")]


def main():
    tap = Tap()
    for mmu, choice in CHOICES:
        name = f"{mmu} {choice}"
        kernel = os.path.join(TOP, "build", mmu, f"oct-{choice}.elf")
        status, _, said = boot(mmu, KERNEL=kernel, CMDLINE="test",
                               NAME=name.replace(" ", "-"))
        tap.equal(status, 0, f"{name}: all tests", said)
    for mmu in ("i386", "sv39"):
        status, _, said = boot(mmu, CMDLINE="heap=all test",
                               NAME=f"{mmu}-heap-all")
        tap.equal(status, 0, f"{mmu} heap=all: all tests", said)
    tap.done()


main()
