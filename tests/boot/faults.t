#!/usr/bin/env -S python3 -B
"""What the kernel says when it dies: each kind of fault on each machine names
what, where and whom, and ends with the status of a panic."""

import re

from boot import PORTS, Tap, boot, tail

# The shell's command, the report's first line, and what it says of the address.
FAULTS = {
    "fault read": (r"page fault: read of (0x\w+) at read_there\+0x\w+",
                   "a kernel window, not mapped"),
    "fault write": (r"page fault: write to (0x\w+) at write_there\+0x\w+",
                    "kernel text, r-x-g-"),
    "fault exec": (r"page fault: execution at (0x\w+)",
                   "kernel data, rw--g-"),
    "fault null": (r"page fault: read of (0x0+) at read_there\+0x\w+",
                   "the NULL page, not mapped"),
    "fault stack": (r"kernel stack overflow: .* (0x\w+) at overflow\+0x\w+",
                    "the guard page below the kernel's stack, not mapped"),
}
BACKTRACE = {
    "fault stack": r"  0x\w+  overflow\+0x\w+, \d\d+ times",
    "fault exec": r"  0x\w+  shell_run\+0x\w+\n  0x\w+  kmain\+0x\w+",
}


def main():
    tap = Tap()
    for mmu in PORTS:
        for command, (report, place) in FAULTS.items():
            # Two-level i386 tables cannot forbid execution of data.
            if mmu == "i386" and command == "fault exec":
                command += " 0x7ffff000"
                place = "a kernel window, not mapped"
            status, console, _ = boot(mmu, keys=command + "\r", KTAP="0")
            tap.matches(console, rf"^panic: {report}.*\n  \1\W.*{place}",
                        f"{mmu}: {command}")
            trace = BACKTRACE.get(command, BACKTRACE["fault exec"])
            tap.matches(console, trace, f"{mmu}: {command}: a backtrace")
            tap.equal(status, 2, f"{mmu}: {command}: the status of a panic")

        tried = [c.replace("fault", "fault try") for c in FAULTS
                 if c != "fault stack" and (mmu, c) != ("i386", "fault exec")]
        keys = "\r".join(tried + ["check", "poweroff", ""])
        status, console, _ = boot(mmu, keys=keys, KTAP="0")
        caught = re.findall(r"^Caught: page fault: .*0x\w+ at ", console, re.M)
        tap.equal(len(caught), len(tried), f"{mmu}: a caught fault is no panic",
                  tail(console))
        tap.equal(status, 0, f"{mmu}: and the machine goes on")
    tap.done()


main()
