#!/usr/bin/env -S python3 -B
"""The churn and the map of the shell, from which lab/report draws: nothing is
broken or lost, and the map agrees with `mem`."""

import re

from boot import Session, Tap


def free_frames(shell):
    return int(re.search(r"^  \.  free +(\d+)", shell.command("mem"),
                         re.M)[1])


def count_free(listing):
    letter = re.search(r"^([a-z])  free$", listing, re.M)[1]
    return sum(line.count(letter) for line in
               re.findall(r"^[0-9a-f]{10}  ([a-z]+)$", listing, re.M))


def churning(tap, shell):
    mmu = shell.mmu
    first = shell.command("churn 2026")
    tap.matches(first, r"^\d+ steps: [1-9]\d+ pieces .* 0 requests refused",
                f"{mmu}: churn")
    tap.matches(shell.command("churn 2026"), re.escape(first.strip()),
                f"{mmu}: the same seed churns the same")
    tap.ok("not" not in shell.command("check"),
           f"{mmu}: all invariants hold in a churned machine")
    tap.equal(count_free(shell.command("map")), free_frames(shell),
              f"{mmu}: the map has as many free frames as mem says")


def main():
    tap = Tap()
    for mmu in ("i386", "sv39"):
        with Session(mmu, KTAP="0") as shell:
            shell.expect("oct> ")
            shell.command("churn end")
            churning(tap, shell)
            before = free_frames(shell)
            shell.command("churn end")
            ended = free_frames(shell)
            tap.ok(ended > before, f"{mmu}: the end of a churn frees frames")
            churning(tap, shell)
            shell.command("churn end")
            tap.equal(free_frames(shell), ended,
                      f"{mmu}: a second churn leaves no more than the first")
            for bad in ("churn", "churn 0", "churn x", "map 1"):
                tap.ok("usage" in shell.command(bad), f"{mmu}: \"{bad}\"")
            shell.send("poweroff\r")
            tap.equal(shell.wait()[0], 0, f"{mmu}: ends well")
    tap.done()


main()
