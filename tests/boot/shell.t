#!/usr/bin/env -S python3 -B
"""The shell on each machine: what the commands print, what bad input gets, and
the keys that edit a line."""

import re

from boot import PORTS, PROMPT, Session, Tap

COMMANDS = ("alloc audit bench check churn demo fault free heap help kdebug "
            "leaks map mem poweroff reclaim slabs test trace vm who".split())
BAD_LINES = ["vm zzz", "vm 1 2", "vm 0x", "mem 1", "heap 1", "check 1",
             "alloc 5", "alloc pages", "alloc pages x", "alloc frame 2",
             "alloc nothing 3", "free", "free x", "free 1 2", "fault",
             "fault sideways", "fault read x", "fault try", "test a b",
             "bench a b", "help a b", "poweroff now", "audit 1", "slabs 1",
             "who", "who x", "leaks x", "kdebug x", "demo", "demo x",
             "reclaim 1"]
UP, LEFT, HOME, DELETE = "\033[A", "\033[D", "\033[H", "\033[3~"
CTRL_A, CTRL_C, CTRL_E, CTRL_U, CTRL_W = "\x01", "\x03", "\x05", "\x15", "\x17"

# Keys, and the line of the shell that they must amount to.
EDITING = [
    ("a typing error rubbed out", "chek\x7fck", "check"),
    ("the cursor moved left", "ceck" + 3 * LEFT + "h", "check"),
    ("home and end", "hec" + HOME + "c" + CTRL_E + "k", "check"),
    ("delete under the cursor", "xcheck" + CTRL_A + DELETE, "check"),
    ("a line discarded", "poweroff" + CTRL_U + "check", "check"),
    ("a word discarded", "check poweroff" + CTRL_W, "check"),
    ("a word completed", "che\t", "check"),
    ("the line before, again", UP, "check"),
    ("blanks around", "   check  ", "check"),
]
ENTRY = {"i386": 0x100100, "pae": 0x100100, "sv39": 0x80200100,
         "sv48": 0x80200100, "sv32": 0x80400100}
LEVELS = {"i386": 2, "pae": 3, "sv39": 3, "sv48": 4, "sv32": 2}


def numbers(pattern, text):
    return [int(n) for n in re.findall(pattern, text, re.M)]


def looking(tap, shell):
    helped = shell.command("help")
    listed = re.findall(r"^  (\w+)", helped, re.M)
    tap.equal(listed, COMMANDS, f"{shell.mmu}: help lists the commands")
    silent = [c for c in COMMANDS
              if f"usage: {c}" not in shell.command(f"help {c}")]
    tap.equal(silent, [], f"{shell.mmu}: help has a usage line for each")

    mem = shell.command("mem")
    frames = numbers(r"^  \S  \D+ (\d+) ", mem)
    tap.equal(numbers(r"^     all +(\d+)", mem), [sum(frames)],
              f"{shell.mmu}: mem adds up", mem)
    tap.ok(len(re.findall(r"^  0x", mem, re.M)) >= 8,
           f"{shell.mmu}: mem draws a map", mem)

    tap.matches(shell.command("heap"), r"\d+ objects, \d+ bytes, in \d+ blocks",
                f"{shell.mmu}: heap")
    checked = shell.command("check")
    tap.ok(checked.count("holds") >= 4 and "not" not in checked,
           f"{shell.mmu}: check", checked)

    too_wide = [line for line in (helped + mem).splitlines() if len(line) > 80]
    tap.equal(too_wide, [], f"{shell.mmu}: all of it fits 80 columns")


def mapping(tap, shell):
    vm = shell.command("vm")
    rows = re.findall(r"^  (\w+)  (\w+) .* ([-rwxugd]{6})  (\w+)  (.+)$", vm,
                      re.M)
    tap.ok(len(rows) >= 5, f"{shell.mmu}: vm lists the map", vm)
    tap.ok(all(int(row[0], 16) >= 0x1000 for row in rows),
           f"{shell.mmu}: vm: the first page is not mapped", vm)
    both = [row for row in rows if "w" in row[2] and "x" in row[2]]
    if shell.mmu != "i386":
        tap.equal(both, [], f"{shell.mmu}: vm: nothing is writable and "
                  "executable")
    text = next((row[0] for row in rows if row[2].startswith("r-x")), "0")
    way = shell.command(f"vm 0x{text}")
    tap.equal(len(re.findall(r"^  level", way, re.M)), LEVELS[shell.mmu],
              f"{shell.mmu}: vm ADDRESS shows each level", way)
    tap.matches(way, f"physical 0x{int(text, 16):08x}$",
                f"{shell.mmu}: vm ADDRESS ends at the frame")
    tap.matches(shell.command("vm 0"), "not mapped",
                f"{shell.mmu}: vm 0: not mapped")


def used(shell):
    """Heap and frames when nothing is kept at hand, without the counts of how
    often memory was short."""
    shell.command("reclaim")
    frames = re.sub(r"^reserve of .*?\n\n", "", shell.command("mem"),
                    flags=re.M | re.S)
    return shell.command("heap"), frames


def playing(tap, shell):
    before = used(shell)
    for line in ("alloc frame", "alloc pages 10", "alloc heap 100",
                 "alloc heap 100000"):
        tap.matches(shell.command(line), r"^  \d+: \d+ .* at 0x\w+$",
                    f"{shell.mmu}: {line}")
    listed = re.findall(r"^  (\d+): .*(0x\w+)$", shell.command("alloc"), re.M)
    tap.equal([n for n, _ in listed], ["1", "2", "3", "4"],
              f"{shell.mmu}: alloc lists them")
    shell.command("free 3")
    tap.matches(shell.command(f"free {listed[2][1]}"), "^oct: ",
                f"{shell.mmu}: a double free is reported")
    tap.equal(shell.command(f"free {listed[0][1]}"), "",
              f"{shell.mmu}: free ADDRESS")
    shell.command("free all")
    tap.matches(shell.command("alloc"), "Nothing is allocated",
                f"{shell.mmu}: free all")
    tap.matches(shell.command("alloc heap 0x70000000"), "not so much memory",
                f"{shell.mmu}: too much is refused")
    tap.equal(used(shell), before, f"{shell.mmu}: all came back")


def owning(tap, shell):
    """Who owns what, and the demos, which leave nothing behind."""
    tap.matches(shell.command("audit"), "every frame is free or has one owner",
                f"{shell.mmu}: audit")
    tap.matches(shell.command("leaks"), "kdebug owner",
                f"{shell.mmu}: leaks says how to record call sites")
    tap.matches(shell.command("kdebug owner"), "on: owner",
                f"{shell.mmu}: kdebug")
    address = re.search(r"0x\w+", shell.command("alloc heap 100")).group()
    tap.matches(shell.command("leaks"), r"1 +100  command_alloc\+",
                f"{shell.mmu}: leaks names the call site")
    tap.matches(shell.command(f"who {address}"), r"heap(.|\n)*command_alloc\+",
                f"{shell.mmu}: who names the owner of an object")
    tap.matches(shell.command(f"who {ENTRY[shell.mmu]:#x}"), "kernel text",
                f"{shell.mmu}: who knows the kernel")
    shell.command("free all")
    tap.matches(shell.command("kdebug off"), "on: nothing",
                f"{shell.mmu}: kdebug off")
    before = used(shell)
    for name, wanted in (("cache", "the cache is destroyed"),
                         ("vmalloc", "64 pages, one buffer"),
                         ("percpu", r"CPU 0, counter at 0x\w+: 10")):
        tap.matches(shell.command(f"demo {name}"), wanted,
                    f"{shell.mmu}: demo {name}")
    tap.matches(shell.command("slabs"), "kmem_cache", f"{shell.mmu}: slabs")
    tap.equal(used(shell), before, f"{shell.mmu}: the demos clean up")


def bad_input(tap, shell):
    unmoved = [line for line in BAD_LINES
               if f"usage: {line.split()[0]}" not in shell.command(line)]
    tap.equal(unmoved, [], f"{shell.mmu}: bad input gets a usage line")
    tap.matches(shell.command("chekc"), 'did you mean "check"',
                f"{shell.mmu}: a near miss is guessed")
    tap.matches(shell.command("xyzzy"), 'no command "xyzzy"',
                f"{shell.mmu}: an unknown command is named")
    tap.equal(shell.command(""), "", f"{shell.mmu}: an empty line is nothing")
    tap.matches(shell.command("nonsense " * 100), 'no command "nonsense"',
                f"{shell.mmu}: a line much longer than the screen")
    shell.send("poweroff" + CTRL_C)
    tap.matches(shell.expect(r"\n" + PROMPT)[0], r"poweroff\^C$",
                f"{shell.mmu}: control-C abandons a line")


def editing(tap, shell):
    wanted = shell.command("check")
    for name, keys, line in EDITING:
        tap.equal(shell.command(keys), wanted,
                  f"{shell.mmu}: {name} makes \"{line}\"")


def main():
    tap = Tap()
    for mmu in PORTS:
        with Session(mmu, KTAP="0") as shell:
            shell.expect(PROMPT)
            for part in (looking, mapping, playing, owning, bad_input,
                         editing):
                part(tap, shell)
            shell.send("poweroff\r")
            status, console, _ = shell.wait()
            tap.equal(status, 0, f"{mmu}: poweroff", console)
    tap.done()


main()
