#!/usr/bin/env -S python3 -B
"""Replays traces on every allocator that is installed, and on oct's.

    lab/trace/replay.py [--rounds N] [--to FOLDER] [TRACE...]

A TRACE is a file, compressed with xz or not; without any, all of traces/. Each
allocator replays each trace once with all contents checked, and then, in rounds
that take turns, for time. Writes replay.tsv (nanoseconds of an event, and memory
taken at its peak by bytes live at theirs) and fragmentation.tsv (memory live and
taken over time) to the FOLDER, which is build, and prints tables. Ends with
status 1 if an allocator damaged an object or did not get through.
"""

import argparse
import glob
import lzma
import os
import statistics
import subprocess
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path.insert(0, f"{TOP}/lab/race")
from contenders import CONTENDERS  # noqa: E402
from results import write_tsv  # noqa: E402

OCTTRACE = f"{TOP}/build/host/octtrace"
METRICS = {"ns": "nanoseconds of an event",
           "peak_ratio": "memory taken at its peak, by bytes live at theirs"}


def name_of(path):
    return os.path.basename(path).split(".")[0]


def unpack(path):
    """The trace's file, uncompressed."""
    if not path.endswith(".xz"):
        return path
    os.makedirs(f"{TOP}/build/traces", exist_ok=True)
    plain = f"{TOP}/build/traces/{name_of(path)}.trace"
    with lzma.open(path) as packed, open(plain, "wb") as file:
        file.write(packed.read())
    return plain


def racers():
    found = []
    for contender in CONTENDERS:
        if contender.suite != "heap":
            continue
        missing = contender.lacks()
        if missing:
            print(f"replay: {contender.name} is left out: {missing}")
        else:
            found.append(contender)
    return found


def replay(trace, contender, *options):
    """What octtrace printed: values by name, and rows of the series."""
    run = subprocess.run([OCTTRACE, "replay", *options, trace],
                         env=contender.environment(), capture_output=True,
                         text=True, check=False, timeout=600)
    if run.returncode != 0:
        raise RuntimeError(f"{name_of(trace)} on {contender.name}: "
                           f"{run.stderr.strip() or run.returncode}")
    lines = [line.split("\t") for line in run.stdout.splitlines()]
    values = {words[0]: words[1] for words in lines if len(words) == 2}
    return values, [words[1:] for words in lines if words[0] == "series"]


def that_do_well(trace, contenders, wrong):
    """Those that get through with all contents as they should be."""
    good = []
    for contender in contenders:
        try:
            replay(trace, contender, "--check")
            good.append(contender)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            wrong.append(error)
    return good


def measure(trace, contenders, rounds, results, series):
    """One trace; results and series are filled."""
    for contender in contenders * rounds:
        values, rows = replay(trace, contender)
        ratio = int(values["peak_taken"]) / max(int(values["peak_live"]), 1)
        for metric, value in (("ns", float(values["ns"])),
                              ("peak_ratio", ratio)):
            key = ("trace", name_of(trace), contender.name, metric)
            results.setdefault(key, []).append(value)
        series[name_of(trace), contender.name] = rows


def write_series(path, series):
    with open(path, "w", encoding="utf-8") as file:
        print("trace", "contender", "step", "live", "taken", sep="\t", file=file)
        for key, rows in series.items():
            for row in rows:
                print(*key, *row, sep="\t", file=file)


def print_table(metric, results):
    traces = list(dict.fromkeys(key[1] for key in results))
    names = list(dict.fromkeys(key[2] for key in results))
    width = max(map(len, names)) + 1
    print(f"\n{METRICS[metric]}\n")
    print(" " * width, *(f"{trace:>10}" for trace in traces))
    for name in names:
        rows = (results.get(("trace", trace, name, metric)) for trace in traces)
        print(f"{name:<{width}}",
              *(f"{statistics.median(row):10.2f}" if row else f"{'-':>10}"
                for row in rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--to", default=f"{TOP}/build", metavar="FOLDER")
    parser.add_argument("traces", nargs="*", metavar="TRACE",
                        default=sorted(glob.glob(f"{TOP}/traces/*.trace.xz")))
    arguments = parser.parse_args()
    results, series, wrong = {}, {}, []
    contenders = racers()
    for trace in map(unpack, arguments.traces):
        good = that_do_well(trace, contenders, wrong)
        measure(trace, good, arguments.rounds, results, series)
    write_tsv(f"{arguments.to}/replay.tsv", results)
    write_series(f"{arguments.to}/fragmentation.tsv", series)
    for metric in METRICS if results else ():
        print_table(metric, results)
    for error in wrong:
        print(f"replay: {error}", file=sys.stderr)
    sys.exit(1 if wrong or not results else 0)


main()
