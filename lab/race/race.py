#!/usr/bin/env -S python3 -B
"""Races oct's heaps and frame managers against each other and against the
allocators that are installed.

All contenders run the same programs, taking turns in an order that changes each
round, so that what disturbs the machine disturbs all of them. Writes
build/bench.tsv (suite, workload, contender, metric, median, min, max) and
prints the same as tables. The ratio there is oct's best by the best peer's, the
median of the rounds' ratios: for times, below 1 is a win. The spread is that of
the row's least steady contender.
Instructions are counted by callgrind, and do not depend on what else runs.

An operation is an object or frame allocated and freed, except of: fill and
one_left_cold, which only allocate; realloc, a call of it; impossible512, a
refusal. Times are the processor's; with two threads they are the wall's, and an
operation is one thread's.

Ends with status 1 if a contender fails; one that is not installed is left out.
"""

import argparse
import concurrent.futures
import fnmatch
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from contenders import CONTENDERS, TOP, Contender
from results import tables, write_tsv
from workloads import COUNTED, races

TIMEOUT = 300  # seconds for one run


class Failure(Exception):
    """A contender's; the text says what it did."""


class Progress:
    """What is going on: one line, rewritten; without a terminal, one a row."""

    def __init__(self, total):
        self.total, self.done, self.row = total, 0, None
        self.start = time.monotonic()

    def step(self, row, contender):
        self.done += 1
        line = f"[{self.done}/{self.total}] {row}"
        if sys.stderr.isatty():
            line += f" {contender} {time.monotonic() - self.start:.0f} s"
            print(f"\r{line[:78]:<78}", end="", file=sys.stderr, flush=True)
        elif row != self.row:
            print(line, file=sys.stderr, flush=True)
        self.row = row

    def clear(self):
        if sys.stderr.isatty():
            print(f"\r{'':<78}\r", end="", file=sys.stderr, flush=True)


def run(command, contender):
    """What the program wrote, once it has ended well: (output, errors)."""
    try:
        done = subprocess.run(command, env=contender.environment(), text=True,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failure(f"is not done after {TIMEOUT} s") from error
    if done.returncode:
        status = f"ends with status {done.returncode}"
        if done.returncode < 0:
            status = f"dies of {signal.Signals(-done.returncode).name}"
        last = done.stderr.strip().splitlines()[-1:]
        raise Failure(": ".join([status, *last]))
    return done.stdout, done.stderr


def measure(race, contender, operations, before=()):
    """({metric: value}, errors) of one run, with something before it on the
    command line."""
    output, errors = run([*before, *race.command(contender, operations)],
                         contender)
    said = dict(line.split(maxsplit=1) for line in output.splitlines())
    whose = os.path.realpath(said.pop("malloc", ""))
    if contender.library and whose != os.path.realpath(contender.preloaded()):
        raise Failure(f"is not whose malloc was called: that was {whose}")
    return {metric: float(value) for metric, value in said.items()}, errors


def count_instructions(race, contender):
    values, errors = measure(
        race, contender, min(race.operations, COUNTED),
        ("valgrind", "--tool=callgrind", "--toggle-collect=measured_*",
         "--callgrind-out-file=/dev/null"))
    collected = re.search(r"Collected : (\d+)", errors)
    if not collected or int(collected[1]) == 0:
        raise Failure("callgrind counts nothing")
    return int(collected[1]) / values["operations"]


class Meeting:
    """Races, who is in them, and what came out: results as write_tsv wants
    them, and a line for each contender that failed in a race."""

    def __init__(self, field, contenders):
        self.pairs = [(race, [c for c in contenders if race.admits(c)])
                      for race in field]
        self.results, self.failed = {}, {}

    def size(self, rounds, counting):
        return sum(len(who) * (race.rounds(rounds) +
                               (counting and race.counted))
                   for race, who in self.pairs)

    def note(self, race, contender, metric, value):
        key = (race.suite, race.row, contender.name, metric)
        self.results.setdefault(key, []).append(value)

    def time(self, rounds, progress):
        for race, who in self.pairs:
            for turn in range(race.rounds(rounds)):
                for i in range(len(who)):
                    contender = who[(i + turn) % len(who)]
                    progress.step(race.row, contender.name)
                    self.time_one(race, contender)

    def time_one(self, race, contender):
        if (race, contender) in self.failed:
            return
        try:
            values, _ = measure(race, contender, race.operations)
        except Failure as failure:
            self.failed[race, contender] = failure
            return
        values.pop("operations", None)
        for metric, value in values.items():
            self.note(race, contender, metric, value)

    def count(self, progress):
        """Several at a time: that does not change the number."""
        jobs = [(race, contender) for race, who in self.pairs if race.counted
                for contender in who if (race, contender) not in self.failed]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            counts = [pool.submit(count_instructions, *job) for job in jobs]
            for job, count in zip(jobs, counts):
                progress.step("instructions", job[1].name)
                try:
                    self.note(*job, "instructions", count.result())
                except Failure as failure:
                    self.failed[job] = failure


def parse_library(text):
    name, equals, path = text.partition("=")
    if not name or not equals or not path:
        raise argparse.ArgumentTypeError(f"{text} is not NAME=FILE")
    return Contender("heap", name, os.path.abspath(path))


def positive(text):
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return int(text)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help="fewer rounds of fewer operations")
    parser.add_argument("--only", metavar="PATTERN", default="*",
                        help="workloads of such names (churn*), or a suite")
    parser.add_argument("--rounds", type=positive, metavar="N",
                        help="how often each contender runs each workload")
    parser.add_argument("--out", metavar="FILE",
                        default=f"{TOP}/build/bench.tsv",
                        help="where the results go, not build/bench.tsv")
    parser.add_argument("--contenders", metavar="A,B",
                        type=lambda text: text.split(","), help="only these")
    parser.add_argument("--library", metavar="NAME=FILE", action="append",
                        type=parse_library, default=[],
                        help="one more allocator, or another file for one")
    return parser, parser.parse_args()


def choose_contenders(parser, options):
    """Those who are wanted; those of them who are not here are said."""
    known = {c.name: c for c in CONTENDERS + options.library}
    for name in options.contenders or []:
        if name not in known:
            parser.error(f"no contender {name}; there are {', '.join(known)}")
    wanted = [c for name, c in known.items()
              if name in (options.contenders or known)]
    for contender in wanted:
        if contender.lacks():
            print(f"race: {contender.name} is left out: {contender.lacks()}",
                  file=sys.stderr)
    return [c for c in wanted if not c.lacks()]


def unbuilt(meeting):
    programs = {race.command(who[0], 1)[0]
                for race, who in meeting.pairs if who}
    return [program for program in sorted(programs)
            if not os.path.exists(program)]


def main():
    parser, options = parse_arguments()
    contenders = choose_contenders(parser, options)
    field = [race for race in races(options.quick)
             if race.suite == options.only or
             fnmatch.fnmatchcase(race.row, options.only)]
    meeting = Meeting(field, contenders)
    rounds = options.rounds or (2 if options.quick else 21)
    counting = shutil.which("valgrind") is not None
    if not counting:
        print("race: no instructions are counted: there is no valgrind",
              file=sys.stderr)
    if not meeting.size(rounds, counting):
        parser.error(f"nobody runs any {options.only}")
    if unbuilt(meeting):
        parser.error(f"make builds what is missing: {unbuilt(meeting)}")
    progress = Progress(meeting.size(rounds, counting))
    meeting.time(rounds, progress)
    if counting:
        meeting.count(progress)
    progress.clear()
    write_tsv(options.out, meeting.results)
    print(tables(meeting.results, contenders))
    for (race, contender), failure in meeting.failed.items():
        print(f"race: {race.workload}: {contender.name} {failure}",
              file=sys.stderr)
    return 1 if meeting.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
