#!/usr/bin/env -S python3 -B
"""The races: every row is there, and who is absent, fails or cheats is said."""

import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path.append(f"{TOP}/lab/race")
from workloads import races  # noqa: E402

TINY = ["--quick", "--rounds", "1"]
COLUMNS = "suite workload contender metric median min max".split()
SIZES = "64MiB 1GiB 16GiB 256GiB".split()

COUNTED = ["pair_64", "pair_4096", "batch_lifo_64", "batch_mixed", "churn@1k",
           "churn@10k", "churn@100k", "realloc"]
HEAP = {("heap", row, "ns") for row in [*COUNTED, "larson", "prodcons"]} | {
    ("heap", "churn@10k", "p50_ns"), ("heap", "churn@10k", "p99_ns"),
    ("heap", "churn@10k", "p99.99_ns"), ("heap", "churn@100k", "peak_ratio")}
FRAMES = {("frames", f"{row}@{size}", "ns") for row, sizes in {
    "pair": SIZES[:2], "fill": SIZES[:3], "churn90": SIZES[:3],
    "churn90_burst": SIZES[:3], "churn90_2threads": SIZES[:2],
    "one_left": SIZES, "one_left_cold": SIZES, "run8": SIZES[1:3],
    "run64": SIZES[1:3], "run512": SIZES[1:3], "impossible512": SIZES[:3],
    "impossible512_anywhere": SIZES[:3]}.items() for size in sizes} | {
    ("frames", f"fragmentation@{size}", "percent") for size in SIZES[:2]} | {
    ("frames", f"metadata_{of}@{size}", "bytes_per_MiB")
    for of in ("map", "owners") for size in SIZES}
INSTRUCTIONS = {("heap", row, "instructions") for row in COUNTED} | {
    ("frames", row, "instructions") for row in
    "pair@64MiB fill@64MiB churn90@64MiB churn90_burst@64MiB one_left@64MiB "
    "one_left_cold@64MiB run8@1GiB run64@1GiB run512@1GiB impossible512@64MiB "
    "impossible512_anywhere@64MiB".split()}

# What is left to the full race.
SLOW = {"pair@16GiB", "fill@256GiB", "churn90_2threads@16GiB",
        "impossible512@256GiB", "impossible512_anywhere@256GiB"}

# Allocators that nobody should want.
CRASHING = "#include <stdlib.h>\nvoid *malloc(size_t n) { (void)n; abort(); }\n"
GIVING_TWICE = """
#include <stddef.h>
static _Alignas(16) char memory[1 << 16];
static size_t used;
void *malloc(size_t n)
{
    if (used + n > sizeof(memory))
        used = 0;
    used += (n + 15) & ~(size_t)15;
    return memory + used - ((n + 15) & ~(size_t)15);
}
void free(void *p) { (void)p; }
"""
NO_ALLOCATOR = "int nothing;\n"

done = 0


def check(name, holds, why=""):
    global done
    done += 1
    print(f"{'' if holds else 'not '}ok {done} - {name}", flush=True)
    for line in [] if holds else re.findall(r"^[^[].*", str(why), re.M):
        print(f"# {line}")


def race(out, *options):
    """The finished process, and the rows it wrote."""
    if os.path.exists(out):
        os.remove(out)
    run = subprocess.run([f"{TOP}/lab/race/race.py", *TINY, "--out", out,
                          *options], capture_output=True, text=True,
                         check=False)
    rows = []
    if os.path.exists(out):
        with open(out, encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    return run, rows


def test_rows(out):
    full = {race.row for race in races(False)}
    check("the full race has the slow rows, and all others",
          SLOW | {race.row for race in races(True)} == full, full)
    run, rows = race(out, "--contenders", "glibc,oct-tagged,oct-bitmap")
    check("all is raced", run.returncode == 0, run.stderr)
    check("the columns are those agreed upon",
          rows and all(list(row) == COLUMNS for row in rows), rows[:1])
    for contender, wanted in (("glibc", HEAP), ("oct-tagged", HEAP),
                              ("oct-bitmap", FRAMES)):
        found = {(row["suite"], row["workload"], row["metric"])
                 for row in rows if row["contender"] == contender}
        timed = {key for key in found if key[2] != "instructions"}
        check(f"{contender} has every row", timed == wanted, timed ^ wanted)
        counted = {key for key in INSTRUCTIONS if key[0] == min(wanted)[0]}
        if shutil.which("valgrind"):
            check(f"{contender} has its instructions counted",
                  counted <= found, counted - found)
    bad = [row for row in rows if not
           0 < float(row["min"]) <= float(row["median"]) <= float(row["max"])]
    check("figures are positive and in order", not bad, bad)
    check("the table has them all", all(row["workload"] in run.stdout
                                        for row in rows), run.stdout)


def test_absent(out):
    run, rows = race(out, "--only", "pair_64", "--contenders", "glibc,jemalloc",
                     "--library", "jemalloc=/nowhere/libjemalloc.so")
    check("who is absent is left out", run.returncode == 0 and
          {row["contender"] for row in rows} == {"glibc"}, run.stderr)
    check("and that is said", "jemalloc is left out" in run.stderr, run.stderr)


def test_refused(out):
    for options in (["--fast"], ["--contenders", "glibc,nobody"],
                    ["--only", "marathon"], ["--rounds", "0"],
                    ["--library", "x"]):
        run, rows = race(out, *options)
        check(f"{' '.join(options)} is refused", run.returncode == 2 and
              not rows and "error:" in run.stderr, run.stderr)


def test_failing(folder, out):
    for name, source, says in (
            ("crashing", CRASHING, "dies of SIGABRT"),
            ("giving_twice", GIVING_TWICE, "was overwritten"),
            ("no_allocator", NO_ALLOCATOR, "not whose malloc")):
        library = f"{folder}/{name}.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-fno-builtin", "-x",
                        "c", "-o", library, "-"], input=source, text=True,
                       check=True)
        run, rows = race(out, "--only", "batch_mixed", "--contenders",
                         f"glibc,{name}", "--library", f"{name}={library}")
        said = [line for line in run.stderr.splitlines()
                if f" {name} " in line and says in line]
        check(f"an allocator that is {name} makes the races fail",
              run.returncode == 1 and said, run.stderr)
        check("and the others are raced on",
              {row["contender"] for row in rows} == {"glibc"}, rows)


def main():
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/bench.tsv"
        test_rows(out)
        test_absent(out)
        test_refused(out)
        test_failing(folder, out)
    print(f"1..{done}")


if __name__ == "__main__":
    main()
