#!/usr/bin/env -S python3 -B
"""What a good loader hands over, on each machine and way to boot: the command
line, the RAM and an initial RAM disk, all of which must be found and kept."""

import re

from boot import PORTS, PROMPT, Monitor, Session, Tap, make_iso, scratch

PAGES = 18
TESTS = "pmm_every,pmm_random"  # they write to every frame that they can get


def initrd():
    """A file that ends within a page."""
    path = scratch("initrd")
    with open(path, "wb") as file:
        file.write(b"".join(b"oct%5d" % i for i in range(PAGES * 512 - 100)))
    return path


def usable(log):
    """Bytes of RAM that anybody may use in the end."""
    rows = re.findall(r"^  0x(\w+) \.\. 0x(\w+) +\d+ \S+  (.+)$", log, re.M)
    return sum(int(last, 16) - int(first, 16) + 1
               for first, last, kind in rows if kind != "firmware")


def intact(monitor, log, disk):
    """Is the disk still in memory, where the boot log says?"""
    with open(disk, "rb") as file:
        wanted = file.read()
    start = re.search(r"^  (0x\w+) .*  initial RAM disk$", log, re.M)
    copy = scratch("copy")
    monitor.command(f'pmemsave {start[1]} {len(wanted)} "{copy}"')
    with open(copy, "rb") as file:
        return file.read() == wanted


def look(tap, name, monitor, shell, disk):
    log, _ = shell.expect(PROMPT)
    tap.matches(log, r'^  words +"([^"]* )?junk"$', f"{name}: the command line")
    tap.ok(63 << 20 < usable(log) <= 64 << 20,
           f"{name}: nearly all of 64 MiB is usable", log)
    if not tap.matches(log, rf" {PAGES * 4} KiB  initial RAM disk$",
                       f"{name}: the initial RAM disk, in whole pages"):
        return
    tap.matches(shell.command(f"test {TESTS}"), r" 0 failed",
                f"{name}: all free frames were written to")
    tap.ok(intact(monitor, log, disk), f"{name}: the disk is intact")
    shell.send("poweroff\r")


def main():
    tap = Tap()
    ways = [(mmu, "kernel") for mmu in PORTS]
    ways += [(mmu, "iso") for mmu in PORTS if PORTS[mmu] == "x86"]
    disk = initrd()
    for mmu, way in ways:
        if way == "iso":
            settings = {"BOOT": way, "ISO": make_iso(mmu, "junk", disk)}
        else:
            settings = {"CMDLINE": "junk", "INITRD": disk}
        monitor = Monitor()
        with Session(mmu, *monitor.options, MEM="64M", KTAP="0",
                     **settings) as shell:
            look(tap, f"{mmu} {way}", monitor, shell, disk)
    tap.done()


main()
