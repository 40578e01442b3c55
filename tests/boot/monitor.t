#!/usr/bin/env -S python3 -B
"""The kernel's map in the eyes of the emulator, which nobody here wrote: what
the shell's `vm` shows must be what QEMU's monitor finds by walking the very
tables, before and after the map has been worked on."""

import re

from boot import PORTS, PROMPT, Monitor, Session, Tap

# Lines for the shell, each of which leaves the kernel's map changed, or changes
# it and back.
SCENARIO = ["alloc heap 300000", "alloc pages 700", "test paging,vmap",
            "free all", "test kheap,trap"]
PAGE = 4096
LARGE = {"i386": 4 << 20, "pae": 2 << 20}


def merge(runs):
    """Runs (va, pa, length, rights), joined wherever they go on."""
    merged = []
    for va, pa, length, rights in sorted(runs):
        last = merged[-1] if merged else None
        if last and last[3] == rights and va == last[0] + last[2] and (
                pa == last[1] + last[2]):
            last[2] += length
        else:
            merged.append([va, pa, length, rights])
    return merged


def kernel_view(text):
    """From the shell's vm: runs, and how many large pages there are."""
    rows = re.findall(r"^  (\w+)  (\w+) .* ([-rwxugd]{6})  (\w+)  (.+)$", text,
                      re.M)
    runs = [(int(first, 16), int(pa, 16),
             int(last, 16) - int(first, 16) + 1, rights)
            for first, last, rights, pa, _ in rows]
    large = sum(int(n) for n in re.findall(r"(\d+)x\d+M", text))
    return merge(runs), large


def x86_view(monitor, mmu):
    """From info tlb: a line for each leaf, as XGPDACTUW."""
    leaves = re.findall(r"^(\w+): (\w+) (\S{9})$", monitor.command("info tlb"),
                        re.M)
    runs = []
    for va, entry, flags in leaves:
        pa = int(entry, 16) & ~(1 << 63)  # it leaves the X in the address
        has = dict(zip("XGPDACTUW", flags))
        rights = "".join([
            "r", "w" if has["W"] == "W" else "-", "-" if has["X"] == "X" else
            "x", "u" if has["U"] == "U" else "-", "g" if has["G"] == "G" else
            "-", "d" if has["C"] == "C" else "-"])
        size = LARGE[mmu] if has["P"] == "P" else PAGE
        runs.append((int(va, 16), pa, size, rights))
    return merge(runs), sum(size != PAGE for _, _, size, _ in runs)


def riscv_view(monitor):
    """From info mem: runs, with the rights as rwxugad."""
    rows = re.findall(r"^(\w+) (\w+) (\w+) ([-rwxu]{4}[-g])[-a][-d]$",
                      monitor.command("info mem"), re.M)
    return merge((int(va, 16), int(pa, 16), int(length, 16), rights + "-")
                 for va, pa, length, rights in rows)


def permitted(runs):
    """What the tables of all levels together permit: without addresses."""
    return merge((va, va, length, ("u" if "u" in rights else "-") + "r" +
                  ("w" if "w" in rights else "-"))
                 for va, _, length, rights in runs)


def compare(tap, shell, monitor, when):
    name = f"{shell.mmu} {when}"
    runs, large = kernel_view(shell.command("vm"))
    tap.ok(len(runs) >= 5, f"{name}: vm shows a map")
    if PORTS[shell.mmu] == "riscv":
        tap.equal(riscv_view(monitor), runs, f"{name}: info mem is vm")
        return
    tap.equal(x86_view(monitor, shell.mmu), (runs, large),
              f"{name}: info tlb is vm")
    rows = re.findall(r"^(\w+)-(\w+) \w+ (\S{3})$", monitor.command("info mem"),
                      re.M)
    found = merge((int(va, 16), int(va, 16), int(end, 16) - int(va, 16), rights)
                  for va, end, rights in rows)
    tap.equal(found, permitted(runs), f"{name}: info mem is vm")


def watch(tap, mmu, mem, scenario):
    monitor = Monitor()
    with Session(mmu, *monitor.options, MEM=mem, KTAP="0") as shell:
        shell.expect(PROMPT)
        compare(tap, shell, monitor, f"{mem} after boot")
        for line in scenario:
            shell.command(line)
            compare(tap, shell, monitor, f"{mem} after {line}")
        shell.send("poweroff\r")


def main():
    tap = Tap()
    for mmu in PORTS:
        watch(tap, mmu, "128M", SCENARIO)
    for mmu, mem in [("i386", "3500M"), ("pae", "6G"), ("sv39", "5G"),
                     ("sv48", "5G"), ("sv32", "5G")]:
        watch(tap, mmu, mem, ["alloc heap 300000"])
    tap.done()


main()
