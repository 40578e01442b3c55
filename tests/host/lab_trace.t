#!/usr/bin/env -S python3 -B
"""Traces on the host: liboctmalloc.so records, octtrace reads and replays, and
both say what is wrong with what they are given."""

import glob
import lzma
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
LIBRARY = f"{TOP}/build/host/liboctmalloc.so"
OCTTRACE = f"{TOP}/build/host/octtrace"
SHIPPED_EACH, SHIPPED_ALL = 150_000, 400_000  # bytes, compressed

# Two threads, objects of many sizes, a forked child and a started program.
PROGRAM = """
import os, subprocess, sys, threading
def work():
    kept = [bytes(n * 37 % 5000) for n in range(3000)]
    del kept[::2]
    kept.append(bytes(100000))
thread = threading.Thread(target=work)
thread.start()
work()
thread.join()
pid = os.fork()
if pid == 0:
    work()
    sys.exit(0)
os.waitpid(pid, 0)
subprocess.run([sys.executable, "-c", "print(len('a' * 1000))"], check=True)
print("trace" in str(os.environ.get("OCT_TRACE")))
"""
KILLED = "import os, signal; x = [b'x' * n for n in range(9999)]; " \
    "os.kill(os.getpid(), signal.SIGKILL)"
# Memory that is given again while somebody has it.
GIVING_TWICE = """
#include <stddef.h>
#include <string.h>
static _Alignas(64) char memory[1 << 22];
static size_t used;
void *malloc(size_t n)
{
    if (used + n > sizeof(memory))
        used = 0;
    char *p = memory + used;
    used += (n + 15) & ~(size_t)15;
    return p;
}
void *realloc(void *p, size_t n)
{
    void *q = malloc(n);
    if (p)
        memmove(q, p, n);
    return q;
}
void free(void *p) { (void)p; }
"""


class Tests:
    def __init__(self, folder):
        self.folder = folder
        self.count = self.failed = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def ok(self, good, name, detail=""):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
        for line in [] if good else str(detail).splitlines()[-12:]:
            print("#", line)


def record(path, script, **settings):
    env = os.environ | {"LD_PRELOAD": LIBRARY, "OCT_TRACE": path,
                        "PYTHONMALLOC": "malloc"} | settings
    return subprocess.run([sys.executable, "-S", "-c", script], env=env,
                          capture_output=True, text=True, check=False,
                          timeout=100)


def octtrace(*arguments, stdin=None, preload=None):
    env = os.environ | ({"LD_PRELOAD": preload} if preload else {})
    return subprocess.run([OCTTRACE, *arguments], input=stdin, env=env,
                          capture_output=True, check=False, timeout=100)


def facts(path):
    """What `octtrace info` says: numbers by their names."""
    said = octtrace("info", path).stdout.decode()
    return {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)", said, re.M)}


def recording(t, trace):
    run = record(trace, PROGRAM)
    t.ok(run.returncode == 0 and run.stdout == "1000\nFalse\n",
         "a recorded program works as usual", run.stdout + run.stderr)
    f = facts(trace)
    t.ok(f.get("threads") == 2 and f["allocs"] > 6000 and f["resizes"] > 0,
         "its trace has both threads and their objects", f)
    t.ok(f and f["events"] == f["allocs"] + f["frees"] + f["resizes"],
         "the events add up", f)
    lines = octtrace("text", trace).stdout.decode().splitlines()
    t.ok(len(lines) == f.get("events") and
         sum(bool(re.search(" 1000..$", line)) for line in lines) >= 2 and
         all(re.fullmatch(r"\d+ (alloc \d+ \d+( align \d+)?|free \d+|"
                          r"resize \d+ \d+)", line) for line in lines),
         "as text it has a line for each", lines[:3])

    short = t.path("short")
    run = record(short, PROGRAM, OCT_TRACE_EVENTS="500")
    t.ok(run.returncode == 0 and facts(short).get("events") == 500,
         "OCT_TRACE_EVENTS ends it, and it is whole", run.stderr)
    run = record(t.path("no/such/folder"), "print(1)")
    t.ok(run.stdout == "1\n" and "OCT_TRACE: No such file" in run.stderr,
         "a file that cannot be written is complained of", run.stderr)
    run = record("/dev/full", PROGRAM)
    t.ok(run.stdout == "1000\nFalse\n" and "No space left" in run.stderr,
         "and so is a full disk", run.stderr)
    killed = t.path("killed")
    record(killed, KILLED)
    said = octtrace("info", killed)
    t.ok(said.returncode == 2 and b"cut short" in said.stderr,
         "the trace of a killed program is cut short", said.stderr)


def reading(t, trace):
    with open(trace, "rb") as file:
        good = file.read()
    for name, bad in (("nothing", b""), ("half", good[:len(good) // 2]),
                      ("another file", b"#!/bin/sh\n" * 9),
                      ("one bit changed", good[:999] + bytes([good[999] ^ 4]) +
                       good[1000:])):
        runs = [octtrace(what, "-", stdin=bad)
                for what in ("info", "text", "replay")]
        t.ok(all(run.returncode == 2 and run.stderr and not run.stdout
                 for run in runs), f"{name} is refused", runs)
    run = octtrace("info", t.path("nowhere"))
    t.ok(run.returncode == 2 and b"No such file" in run.stderr,
         "a file that is not there", run.stderr)
    t.ok(all(octtrace(*words).returncode == 2 for words in
             ((), ("info",), ("play", trace), ("info", "--check", trace))),
         "wrong arguments get the usage")


def console_of(trace):
    """As the kernel prints it."""
    lines = [f"trace begins: {len(trace)} bytes"]
    lines += [f"trace: {trace[at:at + 32].hex()}"
              for at in range(0, len(trace), 32)]
    return "".join(f"{line}\r\n" for line in ["oct> trace dump", *lines,
                                              "trace ends", "oct> "]).encode()


def consoles(t, trace):
    with open(trace, "rb") as file:
        good = file.read()
    console = console_of(good)
    run = octtrace("from-console", "-", stdin=console_of(good[:70]) + console)
    t.ok(run.returncode == 0 and run.stdout == good,
         "from-console finds the last trace on a console", run.stderr)
    for name, bad in (("no trace", b"oct> \r\n"),
                      ("a trace without its end", console[:-40]),
                      ("a line that is missing",
                       console.replace(b"trace: ", b"trash: ", 1)),
                      ("a digit that is another",
                       console.replace(b"trace: 6f", b"trace: 6e", 1))):
        run = octtrace("from-console", "-", stdin=bad)
        t.ok(run.returncode == 2 and run.stderr and not run.stdout,
             f"from-console refuses {name}", run.stderr)


def replaying(t, trace):
    for library in (None, LIBRARY):
        for check in ([], ["--check"]):
            run = octtrace("replay", *check, trace, preload=library)
            said = run.stdout.decode()
            values = dict(re.findall(r"^(\w+)\t([\d.]+)$", said, re.M))
            t.ok(run.returncode == 0 and values.get("damaged") == "0" and
                 int(values["peak_live"]) > 100000 and
                 int(values["peak_taken"]) > int(values["peak_live"]) // 2 and
                 values["refused"] == "0" and said.count("series") >= 60,
                 " ".join(["replay", *check, library and "on oct" or
                           "on the C library"]), said[:400] + str(run.stderr))
    source, library = t.path("twice.c"), t.path("twice.so")
    with open(source, "w", encoding="utf-8") as file:
        file.write(GIVING_TWICE)
    subprocess.run(["gcc", "-O1", "-fno-builtin", "-shared", "-fPIC", "-o",
                    library, source], check=True)
    for check in ([], ["--check"]):
        run = octtrace("replay", *check, trace, preload=library)
        t.ok(run.returncode == 1 and b"were damaged" in run.stderr,
             " ".join(["replay", *check, "notices memory given twice"]),
             run.stderr)


def shipped(t):
    sizes = {}
    for path in sorted(glob.glob(f"{TOP}/traces/*.trace.xz")):
        name = os.path.basename(path)
        sizes[name] = os.path.getsize(path)
        with lzma.open(path) as file:
            run = octtrace("replay", "--check", "-", stdin=file.read())
        t.ok(run.returncode == 0 and sizes[name] < SHIPPED_EACH,
             f"{name} can be replayed, and is small", run.stderr)
    t.ok(len(sizes) >= 4 and sum(sizes.values()) < SHIPPED_ALL,
         "there are four, and they are small", sizes)


def table(path):
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t") for line in file]


def comparing(t, trace):
    run = subprocess.run([f"{TOP}/lab/trace/replay.py", "--rounds", "1", "--to",
                          t.folder, trace],
                         capture_output=True, text=True, check=False)
    t.ok(run.returncode == 0, "replay.py", run.stdout + run.stderr)
    rows = table(t.path("replay.tsv"))
    series = table(t.path("fragmentation.tsv"))
    t.ok(rows[0] == "suite workload contender metric median min max".split() and
         {("glibc", "ns"), ("glibc", "peak_ratio"), ("oct-tagged", "ns"),
          ("oct-slab", "peak_ratio")} <= {(row[2], row[3]) for row in rows},
         "replay.py compares oct with the C library", rows)
    t.ok(series[0] == "trace contender step live taken".split() and
         len([row for row in series if row[1] == "oct-tagged"]) >= 60,
         "replay.py writes what is taken over time", series[:3])


def main():
    with tempfile.TemporaryDirectory(prefix="oct-trace-") as folder:
        t = Tests(folder)
        trace = t.path("two.trace")
        recording(t, trace)
        reading(t, trace)
        consoles(t, trace)
        replaying(t, trace)
        shipped(t)
        comparing(t, trace)
    print(f"1..{t.count}")
    sys.exit(1 if t.failed else 0)


main()
