#!/usr/bin/env -S python3 -B
"""Traces on machines: the kernel records its own boot and what it does then, and
every machine replays a trace that comes as its initial RAM disk."""

import lzma
import os
import re
import subprocess

from boot import PORTS, TOP, Session, Tap, boot, scratch

OCTTRACE = os.path.join(TOP, "build/host/octtrace")
KERNEL_TRACE = os.path.join(TOP, "traces/kernel.trace.xz")
LONG_TRACE = os.path.join(TOP, "traces/sqlite3.trace.xz")
BAD_LINES = ["trace", "trace now", "trace start x", "trace start 1M 2",
             "trace stop 1", "trace show 1", "trace dump 1", "trace replay 1"]


def unpack(packed):
    path = scratch(os.path.basename(packed)[:-len(".xz")])
    with lzma.open(packed) as file, open(path, "wb") as to:
        to.write(file.read())
    return path


def octtrace(*arguments, stdin=None):
    run = subprocess.run([OCTTRACE, *arguments], input=stdin, check=False,
                         capture_output=True)
    return run.returncode, run.stdout, run.stderr.decode()


def words_of_bad_lines(tap, shell):
    silent = [line for line in BAD_LINES
              if "usage: trace" not in shell.command(line)]
    tap.equal(silent, [], f"{shell.mmu}: bad arguments get the usage")


def recording(tap, mmu):
    with Session(mmu, CMDLINE="trace=512K", KTAP="0") as shell:
        shell.expect("oct> ")
        words_of_bad_lines(tap, shell)
        tap.matches(shell.command("trace start"), "already",
                    f"{mmu}: it records from the boot on")
        tap.matches(shell.command("trace replay"), "still recording",
                    f"{mmu}: it does not replay meanwhile")
        shell.command("alloc heap 4321")
        shell.command("free all")
        shell.command("trace stop")
        shown = shell.command("trace show")
        console = shell.command("trace dump")
        replayed = shell.command("trace replay")
        tap.matches(shell.command("trace start 100"), "too little",
                    f"{mmu}: too little memory for a recording")
        tap.matches(shell.command("trace start 16K"), "Recording",
                    f"{mmu}: another one")
        shell.command("bench kmalloc_churn")
        tap.matches(shell.command("trace show"), r"^recorded: \d+ events",
                    f"{mmu}: which ends when its memory is full")
        tap.matches(shell.command("check"), "holds", f"{mmu}: check")
        shell.send("poweroff\r")
        status, _, said = shell.wait()
        tap.equal(status, 0, f"{mmu}: it goes on well", said)
    status, trace, said = octtrace("from-console", "-", stdin=console.encode())
    tap.equal(status, 0, f"{mmu}: the dump is a trace", said)
    path = scratch(f"{mmu}.trace")
    with open(path, "wb") as file:
        file.write(trace)
    lines = octtrace("text", path)[1].decode().splitlines()
    events = re.search(r"(\d+) events", shown)
    tap.ok(events and len(lines) == int(events[1]) > 4,
           f"{mmu}: with all events", shown)
    tap.ok(any(line.endswith(" 4321") for line in lines),
           f"{mmu}: also of the object that was asked for", lines[-20:])
    tap.equal(octtrace("replay", "--check", path)[0], 0,
              f"{mmu}: the host can replay it")
    tap.matches(replayed, f"result replay_events +{len(lines)}$.*"
                "result replay_damaged +0$", f"{mmu}: and so can the kernel")


def results(tap, mmu, trace, name, **settings):
    """Boots a machine to replay the trace; returns its results."""
    status, console, said = boot(mmu, CMDLINE="replay", KTAP="0", INITRD=trace,
                                 **settings)
    tap.equal(status, 0, f"{name}: replays", said)
    found = dict(re.findall(r"^result replay_(\w+) +(\d+)$", console, re.M))
    taken = re.search(r"^fact replay_peak_taken_bytes +(\d+)$", console, re.M)
    series = re.findall(r"^series (\d+) (\d+) (\d+)$", console, re.M)
    tap.ok(taken and found.get("damaged") == "0" and
           int(taken[1]) > int(found["peak_live_bytes"]) // 2 and
           max(int(row[2]) for row in series) == int(taken[1]) and
           re.search(r"^bench replay +[1-9]\d*\.\d$", console, re.M),
           f"{name}: and reports", console[-800:])
    return found


def replaying(tap):
    trace = unpack(KERNEL_TRACE)
    found = {mmu: results(tap, mmu, trace, mmu) for mmu in PORTS}
    tap.ok(len(set(map(str, found.values()))) == 1,
           "the machines have the same results", found)
    long = unpack(LONG_TRACE)
    other = os.path.join(TOP, "build/sv39/oct-buddy-slab.elf")
    tap.ok(results(tap, "sv39", long, "sv39, a program") ==
           results(tap, "sv39", long, "sv39, slab on buddy", KERNEL=other),
           "both heaps have the same results")


def refusing(tap):
    status, console, _ = boot("sv39", CMDLINE="replay", KTAP="0")
    tap.ok(status == 1 and "no initial RAM disk" in console,
           "without a trace the machine says so", console)
    with open(unpack(KERNEL_TRACE), "r+b") as file:
        file.seek(1000)
        byte = file.read(1)[0]
        file.seek(1000)
        file.write(bytes([byte ^ 1]))
        file.flush()
        status, console, _ = boot("i386", CMDLINE="replay", KTAP="0",
                                  INITRD=file.name)
    tap.ok(status == 1 and "its checksum is wrong" in console,
           "a damaged trace is refused", console)


def main():
    tap = Tap()
    for mmu in ("sv39", "i386"):
        recording(tap, mmu)
    replaying(tap)
    refusing(tap)
    tap.done()


main()
