"""What the boot tests share: machines under tools/qemu, and TAP.

Every boot goes through tools/qemu. A boot that ends by itself is one call of
`boot`; one that is talked to while it runs is a `Session`.
"""

import contextlib
import itertools
import json
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
PORTS = {"i386": "x86", "pae": "x86", "sv39": "riscv", "sv48": "riscv",
         "sv32": "riscv"}
PROMPT = "oct> "
PATIENCE = 60  # seconds that any single answer may take
_number = itertools.count(1)  # of boots
SCRATCH = tempfile.TemporaryDirectory(prefix="oct-boot-")


class Tap:
    """Prints results as the Test Anything Protocol."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, good, name, detail="", directive=""):
        """One result; detail (why it is bad) is only printed if it is bad."""
        self.count += 1
        self.failed += not good
        result = "ok" if good else "not ok"
        print(f"{result} {self.count} - {name}{directive}", flush=True)
        if not good:
            for line in str(detail).splitlines():
                print("#", line)
        return good

    def equal(self, got, wanted, name, detail=""):
        return self.ok(got == wanted, name,
                       f"got {got!r}, wanted {wanted!r}\n{detail}")

    def matches(self, text, pattern, name):
        return self.ok(re.search(pattern, text, re.S | re.M), name,
                       f"no {pattern!r} in:\n{tail(text)}")

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


def tail(text, lines=12):
    return "\n".join(text.splitlines()[-lines:])


def scratch(name):
    """A path of that name which goes away with the test."""
    return os.path.join(SCRATCH.name, name)


def kernel_path(mmu):
    return os.path.join(TOP, "build", mmu, "oct.elf")


def make_iso(mmu, *arguments):
    path = scratch(f"{mmu}.iso")
    subprocess.run([f"{TOP}/tools/mkiso", kernel_path(mmu), path, *arguments],
                   check=True)
    return path


def wait_for_file(path):
    deadline = time.monotonic() + PATIENCE / 3
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            raise Timeout(path)
        time.sleep(0.02)


def plain(output):
    """Console output as text: no carriage returns, no colours."""
    text = output.decode("utf-8", "replace").replace("\r", "")
    return re.sub(r"\033\[[0-9;]*[A-Za-z]", "", text)


def _environment(mmu, settings):
    """make's own ARCH, MEM and so on must not reach the tests' machines."""
    ours = ("MEM CPUS CMDLINE BOOT KERNEL ISO INITRD TIMEOUT ICOUNT "
            "KTAP NAME").split()
    base = {k: v for k, v in os.environ.items() if k not in ours}
    test = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    settings.setdefault("NAME", f"{test}-{mmu}-{next(_number)}")
    return {**base, "ARCH": PORTS[mmu], "MMU": mmu, **settings}


def boot(mmu, *options, keys="", **settings):
    """Boots, types keys once the shell waits for them, and waits for the end.
    Returns (status of tools/qemu, console, what tools/qemu said)."""
    session = Session(mmu, *options, **settings)
    if keys:
        with contextlib.suppress(Timeout):
            session.expect(PROMPT)
            session.send(keys)
    return session.wait()


def boot_tampered(mmu, commands, *options, **settings):
    """Boots, and lets gdb run commands when the firmware or boot loader jumps
    to the kernel. Returns what boot does."""
    path = scratch(f"gdb-{time.monotonic_ns()}")
    session = Session(mmu, "-S", "-gdb", f"unix:{path},server=on,wait=off",
                      *options, **settings)
    wait_for_file(path)
    script = [f"target remote {path}", f"hbreak *{Kernel(mmu).entry:#x}",
              "continue", "delete", *commands, "detach"]
    gdb = subprocess.run(
        ["gdb-multiarch", "-nx", "-batch", kernel_path(mmu),
         *(word for line in script for word in ("-ex", line))],
        capture_output=True, text=True, timeout=PATIENCE, check=False)
    status, console, said = session.wait()
    return status, console, said + gdb.stderr


class Timeout(Exception):
    """An expected answer did not come."""


class Session:
    """A running machine and the console's end that we hold."""

    def __init__(self, mmu, *options, **settings):
        self.mmu = mmu
        self.output = b""
        self.seen = 0  # characters of plain(output) already consumed
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [f"{TOP}/tools/qemu", "test", *options], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.errors, bufsize=0,
            env=_environment(mmu, settings))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.wait()

    def send(self, keys):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(keys.encode())

    def _read(self, deadline):
        """Takes in some output; False at the end, or past the deadline."""
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        ready, _, _ = select.select([self.process.stdout], [], [], left)
        data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
        self.output += data
        return bool(data)

    def expect(self, pattern, patience=PATIENCE):
        """Waits until the output has the pattern; returns what came before and
        the match, and goes on behind them."""
        deadline = time.monotonic() + patience
        while True:
            text = plain(self.output)[self.seen:]
            match = re.search(pattern, text)
            if match:
                self.seen += match.end()
                return text[:match.start()], match
            if not self._read(deadline):
                raise Timeout(f"{self.mmu}: no {pattern!r} in:\n{tail(text)}")

    def command(self, line):
        """Runs a line of the shell, which must be waiting; returns what it
        prints up to the next prompt."""
        self.send(line + "\r")
        self.expect(r"\n")
        return self.expect(r"(?:^|(?<=\n))" + re.escape(PROMPT))[0]

    def wait(self):
        """Waits for the end of the machine (tools/qemu limits that)."""
        while self._read(time.monotonic() + 10 * PATIENCE):
            continue
        status = self.process.wait()
        self.process.stdin.close()
        self.errors.seek(0)
        said = self.errors.read().decode()
        return status, plain(self.output), said


class Monitor:
    """QEMU's monitor, for a Session that is given its `options`."""

    def __init__(self):
        self.path = scratch(f"monitor-{time.monotonic_ns()}")
        self.options = ("-qmp", f"unix:{self.path},server=on,wait=off")
        self.stream = None

    def _connect(self):
        wait_for_file(self.path)
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.path)
        self.stream = connection.makefile("rw")
        self._execute("qmp_capabilities")

    def _execute(self, command, **arguments):
        print(json.dumps({"execute": command, "arguments": arguments}),
              file=self.stream, flush=True)
        for line in self.stream:
            answer = json.loads(line)
            if "error" in answer:
                raise RuntimeError(answer["error"]["desc"])
            if "return" in answer:
                return answer["return"]
        raise RuntimeError("the emulator is gone")

    def command(self, line):
        """What the human monitor answers."""
        if not self.stream:
            self._connect()
        answer = self._execute("human-monitor-command",
                               **{"command-line": line})
        return answer.replace("\r", "")


class Kernel:
    """A kernel's ELF file, to look things up in and to break on purpose."""

    def __init__(self, mmu):
        self.mmu = mmu
        with open(kernel_path(mmu), "rb") as file:
            self.image = bytearray(file.read())
        text = subprocess.run(["readelf", "-hlsW", kernel_path(mmu)],
                              check=True, capture_output=True, text=True).stdout
        self.entry = int(re.search(r"Entry point .*?(0x\w+)", text)[1], 16)
        self.symbols = {
            m[2]: int(m[1], 16)
            for m in re.finditer(r"^ *\d+: (\w+) .* (\S+)$", text, re.M)}
        self.segments = [
            [int(field, 16) for field in m.groups()]
            for m in re.finditer(r"^  LOAD +(\w+) (\w+) \w+ (\w+)", text, re.M)]

    def patch(self, symbol, code):
        """Replaces what a function begins with."""
        address = self.symbols[symbol]
        for offset, start, size in self.segments:
            if start <= address < start + size:
                at = offset + address - start
                self.image[at:at + len(code)] = code
                return self
        raise KeyError(symbol)

    def save(self):
        path = scratch(f"{self.mmu}-broken.elf")
        with open(path, "wb") as file:
            file.write(self.image)
        return path
