#!/usr/bin/env -S python3 -B
"""Real programs with oct's malloc preloaded: each must do what it does without,
to the byte, with either heap. OCT_STATS makes each of them say that oct was
there, and how much was live at its end: more work must not leave more behind.

A program that is not installed fails the test, but for pigz and sqlite3, which
`make setup` installs: without them it is skipped.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
PRELOAD = f"{TOP}/build/host/liboctmalloc.so"
STATS = re.compile(rb"^oct: (\S+): live (\d+) bytes in (\d+) objects.*\n", re.M)
# Some live bytes that only depend on what was the last thing done.
SLACK = 64 << 10
SKIPPABLE = ("pigz", "sqlite3")

PYTHON = r"""
import json, random, re, sys, threading
def work(n):
    rows = [{"name": "row %d" % i, "value": random.random(),
             "tags": ["t%d" % (i % k) for k in range(1, 6)]} for i in range(n)]
    again = json.loads(json.dumps(rows))
    again.sort(key=lambda row: row["value"])
    words = re.findall(r"t(\d)", json.dumps(again))
    big = 1
    for i in range(1, n // 4):
        big *= i
    return len(words), again[0]["name"], str(big)[:50]
def texts(at):
    results[at] = len(json.dumps(["%x" % i for i in range(5000 * (at + 1))]))
for _ in range(int(sys.argv[1])):
    random.seed(7)
    results = [None] * 3
    threads = [threading.Thread(target=texts, args=[at]) for at in range(3)]
    for t in threads:
        t.start()
    print(work(2000))
    for t in threads:
        t.join()
    print(results)
"""

SQL = """
CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, kind INTEGER);
CREATE TABLE kind(id INTEGER PRIMARY KEY, title TEXT);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
    INSERT INTO item SELECT i, 'item ' || (i * 7919 % 50021), i % 97 FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 96)
    INSERT INTO kind SELECT i, 'kind ' || i FROM n;
COMMIT;
CREATE INDEX by_name ON item(name);
SELECT title, count(*), min(name), max(name) FROM item JOIN kind
    ON item.kind = kind.id GROUP BY title ORDER BY title;
SELECT name FROM item ORDER BY name DESC LIMIT 500;
SELECT sum(a.id * b.id % 1000) FROM item a JOIN item b ON a.name = b.name;
PRAGMA integrity_check;
"""


class Missing(Exception):
    """A program that is not installed."""


class Failed(Exception):
    """Why a test failed."""


def find(program):
    path = shutil.which(program)
    if not path:
        raise Missing(program)
    return path


def expect(condition, why):
    if not condition:
        raise Failed(why)


def run(command, heap=None, folder=None, text=b"", **more):
    """Runs it, with that heap preloaded or without. Returns what it printed
    and, of oct's lines of statistics, the largest number of live bytes."""
    command = [find(command[0])] + command[1:]
    settings = os.environ | {"LC_ALL": "C", "PYTHONHASHSEED": "0"} | more
    if heap:
        settings |= {"LD_PRELOAD": PRELOAD, "OCT_HEAP": heap, "OCT_STATS": "1"}
    done = subprocess.run(command, input=text, env=settings, cwd=folder,
                          capture_output=True, timeout=60, check=False)
    name = " ".join(command)[:70]
    expect(done.returncode == 0, f"{name}: status {done.returncode}: "
           f"{done.stderr.decode(errors='replace')[-400:]}")
    stats = STATS.findall(done.stderr)
    expect(bool(stats) == bool(heap), f"{name}: oct was "
           f"{'not ' if heap else ''}there")
    rest = STATS.sub(b"", done.stderr)
    return done.stdout + rest, max((int(s[1]) for s in stats), default=0)


def text_lines(lines):
    """Lines of text in no order, some of them equal; always the same."""
    seed = 12345
    out = []
    for _ in range(lines):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        out.append(b"%d line of text %x\n" % (seed % 100003, seed ^ 0x5A5A))
    return b"".join(out)


def same(command, heap, **more):
    expect(run(command, heap, **more)[0] == run(command, **more)[0],
           f"{command[0]}: prints something else")


def gcc(heap, folder):
    sources = ["mm/freemap.c", "lib/print.c", "lib/string.c", "lib/bitset.c"]
    for source in sources:
        objects = []
        for with_heap in (None, heap):
            out = f"{folder}/{len(objects)}.o"
            run(["gcc", "-O2", "-c", f"-I{TOP}/include", f"-I{TOP}",
                 f"-I{TOP}/lab/port/include", "-ffreestanding", "-o", out,
                 f"{TOP}/{source}"], with_heap)
            with open(out, "rb") as file:
                objects.append(file.read())
        expect(objects[0] == objects[1], f"{source}: other object bytes")


def python(heap, _):
    """Without its own allocator, so that each of its objects is one of oct's;
    three times the work leaves no more behind."""
    command = [os.path.realpath(sys.executable), "-c", PYTHON]
    settings = {"PYTHONMALLOC": "malloc"}
    plain, _ = run(command + ["1"], **settings)
    once, live = run(command + ["1"], heap, **settings)
    expect(plain == once, "python3: prints something else")
    _, live_more = run(command + ["3"], heap, **settings)
    expect(live_more <= live + SLACK, f"live at the end: {live} bytes; after "
           f"three times the work {live_more}")


def sort(heap, folder):
    with open(f"{folder}/text", "wb") as file:
        file.write(text_lines(700000))
    same(["sort", "--parallel=2", "-S", "40M", "text"], heap, folder=folder)


def git(heap, folder):
    """The same repository made twice, once with oct."""
    def whole_story(with_heap, place):
        os.mkdir(place)
        who = {"GIT_CONFIG_GLOBAL": "/dev/null",
               "GIT_CONFIG_SYSTEM": "/dev/null",
               "GIT_AUTHOR_DATE": "1700000000 +0000",
               "GIT_COMMITTER_DATE": "1700000000 +0000"}
        said = []
        def command(*words):
            said.append(run(["git", "-c", "user.name=oct", "-c",
                             "user.email=oct@localhost", "-c", "gc.auto=0",
                             *words], with_heap, place, **who)[0])
        command("init", "-q", "-b", "main")
        for version in range(6):
            for i in range(40):
                lines = text_lines(30 + i).splitlines(True)
                with open(f"{place}/file{i}", "wb") as file:
                    file.writelines(lines[version * (i % 3):])
            command("add", ".")
            command("commit", "-q", "-m", f"version {version}")
        command("log", "--stat")
        command("diff", "HEAD~3")
        command("gc", "-q")
        command("fsck", "--full")
        command("rev-parse", "HEAD", "HEAD^{tree}")
        return said
    expect(whole_story(heap, f"{folder}/with") ==
           whole_story(None, f"{folder}/without"), "git: prints something else")


def compress(heap, program, level):
    plain = text_lines(500000)
    options = {"pigz": ["-p", "2", "-nT"], "xz": ["-T2"]}[program]
    packed = [run([program, *options, level, "-c"], h, text=plain)[0]
              for h in (None, heap)]
    expect(packed[0] == packed[1], f"{program}: other bytes")
    expect(run([program, "-d", "-c"], heap, text=packed[1])[0] == plain,
           f"{program}: not what was compressed")


def pigz(heap, _):
    compress(heap, "pigz", "-4")


def xz(heap, _):
    compress(heap, "xz", "-1")


def sqlite3(heap, _):
    command = ["sqlite3", ":memory:"]
    live = {}
    for rows in (10000, 50000):
        sql = SQL.format(rows=rows).encode()
        said, live[rows] = run(command, heap, text=sql)
        expect(said == run(command, text=sql)[0],
               "sqlite3: prints something else")
        expect(said.endswith(b"ok\n"), "sqlite3: a damaged database")
    expect(live[50000] <= live[10000] + SLACK, f"live at the end: {live}")


def main():
    tests = (gcc, python, sort, git, pigz, xz, sqlite3)
    number = failures = 0
    for heap in ("tagged", "slab"):
        for test in tests:
            number += 1
            name = f"{number} - {test.__name__}, {heap} heap"
            try:
                with tempfile.TemporaryDirectory() as folder:
                    test(heap, folder)
                print(f"ok {name}", flush=True)
            except Missing as missing:
                if str(missing) in SKIPPABLE:
                    print(f"ok {name} # SKIP no {missing}: make setup")
                    continue
                failures += 1
                print(f"not ok {name}\n# {missing} is not installed")
            except (Failed, subprocess.TimeoutExpired) as why:
                failures += 1
                print(f"not ok {name}\n# {str(why)[:600]!r}", flush=True)
    print(f"1..{number}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
