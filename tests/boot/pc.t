#!/usr/bin/env -S python3 -B
"""The other console of a PC: typing on the keyboard, reading the screen."""

import time

from boot import PATIENCE, PORTS, PROMPT, Monitor, Session, Tap, scratch

SCREEN, ROWS, COLUMNS = 0xb8000, 25, 80
KEYS = {" ": "spc", "\r": "ret", "\b": "backspace", "_": "shift-minus",
        "-": "minus", ",": "comma", ".": "dot", "=": "equal"}


def type_keys(monitor, text):
    for c in text:
        key = KEYS.get(c, f"shift-{c.lower()}" if c.isupper() else c)
        monitor.command(f"sendkey {key} 1")
        time.sleep(0.02)  # each is pressed and let go before the next


def screen(monitor):
    path = scratch("screen")
    monitor.command(f'pmemsave {SCREEN:#x} {ROWS * COLUMNS * 2} "{path}"')
    with open(path, "rb") as file:
        text = file.read()[::2].decode("cp437")
    return [text[i:i + COLUMNS].rstrip("\0 ")
            for i in range(0, len(text), COLUMNS)]


def shown(monitor, *lines):
    """Waits until the screen has these lines; returns it anyway."""
    deadline = time.monotonic() + PATIENCE
    while True:
        rows = screen(monitor)
        if set(lines) <= set(rows) or time.monotonic() > deadline:
            return rows
        time.sleep(0.05)


def main():
    tap = Tap()
    for mmu in [mmu for mmu in PORTS if PORTS[mmu] == "x86"]:
        monitor = Monitor()
        with Session(mmu, *monitor.options, KTAP="0") as shell:
            shell.expect(PROMPT)
            tap.ok(PROMPT.strip() in shown(monitor, PROMPT.strip()),
                   f"{mmu}: the prompt is on the screen")
            type_keys(monitor, "chexx\b\bck\r")
            output, _ = shell.expect(r"\n" + PROMPT)
            tap.ok(output.count("holds") >= 4,
                   f"{mmu}: a command from the keyboard", output)
            lines = output.strip().splitlines()
            rows = shown(monitor, *(line.rstrip() for line in lines[1:]))
            for line in lines[1:]:
                tap.ok(line.rstrip() in rows, f"{mmu}: on the screen: {line}",
                       "\n".join(rows))
            type_keys(monitor, "An Odd_Word-1=2,3.\r")
            output, _ = shell.expect(r"\n" + PROMPT)
            tap.matches(output, 'no command "An"', f"{mmu}: capitals")
            tap.ok("An Odd_Word-1=2,3." in output, f"{mmu}: signs", output)
            output = shell.command("mem")
            last = output.splitlines()[-1].rstrip()
            rows = shown(monitor, last, PROMPT.strip())
            tap.equal([row for row in rows if row][-1], PROMPT.strip(),
                      f"{mmu}: long output scrolls, and the prompt is last")
            shell.send("poweroff\r")
    tap.done()


main()
