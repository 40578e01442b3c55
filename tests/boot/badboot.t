#!/usr/bin/env -S python3 -B
"""Machines that cannot run oct, and loaders that hand over rubbish: each must
be told why on the console, and the machine must stop; never hang."""

import subprocess

from boot import PORTS, Tap, boot, boot_tampered, scratch, tail

X86 = [mmu for mmu in PORTS if PORTS[mmu] == "x86"]
RISCV = [mmu for mmu in PORTS if PORTS[mmu] == "riscv"]
PATIENCE = {"TIMEOUT": "20", "CMDLINE": "test=pmm"}

# What gdb does to the registers and memory that the loader hands over.
# The multiboot information: flags first; the memory map at 44 and 48.
MULTIBOOT = [
    ("a wrong magic number", "set $eax = 0x12345678", "magic"),
    ("no memory map", "set *(int *)$ebx &= ~0x41", "memory map"),
    ("an empty memory map", "set *(int *)($ebx + 44) = 0", "memory"),
    ("a memory map past the end of memory",
     "set *(int *)($ebx + 48) = 0xfffffff0", "memory map"),
    ("a memory map far too long",
     "set *(int *)($ebx + 44) = 0x7fffffff", "memory map"),
    ("entries of the map that lead nowhere",
     "set **(int **)($ebx + 48) = 0", "memory"),
    ("a command line past the end of memory",
     "set *(int *)($ebx + 16) = 0xffffffff", "command line"),
]
# The device tree's header: magic, total size, offsets of the structure, the
# strings and the reservations, two versions, the CPU, sizes of the strings and
# the structure. It is big-endian; all ones are the same both ways.
STRUCTURE = "($a1 + ((unsigned char *)$a1)[10] * 256 + " \
            "((unsigned char *)$a1)[11])"
TREE = [
    ("no address", "set $a1 = 0"),
    ("an odd address", "set $a1 = $a1 + 1"),
    ("a wrong magic number", "set *(int *)$a1 = 0x12345678"),
    ("a total size of 0", "set *(int *)($a1 + 4) = 0"),
    ("a total size of 48", "set *(int *)($a1 + 4) = 0x30000000"),
    ("a total size of 4 GiB", "set *(int *)($a1 + 4) = -1"),
    ("a structure past the end", "set *(int *)($a1 + 8) = -1"),
    ("strings past the end", "set *(int *)($a1 + 12) = -1"),
    ("reservations past the end", "set *(int *)($a1 + 16) = -1"),
    ("an unknown version", "set *(int *)($a1 + 24) = -1"),
    ("strings longer than the tree", "set *(int *)($a1 + 32) = -1"),
    ("a structure longer than the tree", "set *(int *)($a1 + 36) = -1"),
    ("no root node", f"set *(int *){STRUCTURE} = 0x09000000"),
    ("a property longer than the tree", f"set *(int *)({STRUCTURE} + 12) = -1"),
    ("a property's name past the end",
     f"set *(int *)({STRUCTURE} + 16) = -1"),
]


def refused(tap, name, outcome, reason):
    status, console, said = outcome
    told = f"{said}\n{tail(console)}"
    tap.ok("not over after" not in said, f"{name}: stops", told)
    tap.ok(status in (2, 3), f"{name}: is no success", told)
    tap.matches(console, reason, f"{name}: says why")


def poor_machines(tap):
    for mmu in X86:
        refused(tap, f"{mmu}: a 486", boot(mmu, "-cpu", "486", **PATIENCE),
                "oct cannot run on this machine: the CPU has no ")
    lacking = {"i386": ("pse", "large pages"), "pae": ("pae", "PAE")}
    for mmu, (flag, name) in lacking.items():
        refused(tap, f"{mmu}: without {name}",
                boot(mmu, "-cpu", f"qemu32,-{flag}", **PATIENCE),
                f"oct cannot run on this machine: the CPU has no .*{name}")
    status, console, _ = boot("pae", "-cpu", "qemu32", **PATIENCE)
    tap.matches(console, "^  features +.*no NX", "pae: without NX: says so")
    tap.equal(status, 0, "pae: without NX: runs", tail(console))
    for mmu in RISCV:
        cpu = {"sv32": "rv32"}.get(mmu, "rv64")
        refused(tap, f"{mmu}: without page tables",
                boot(mmu, "-cpu", f"{cpu},mmu=off", **PATIENCE),
                "page-table format")
    for mmu in X86:
        refused(tap, f"{mmu}: with 1.75 MiB of RAM",
                boot(mmu, MEM="1792K", **PATIENCE), "too little memory")


def bad_loaders(tap):
    for name, command, reason in MULTIBOOT:
        refused(tap, f"multiboot: {name}",
                boot_tampered("i386", [command], **PATIENCE), reason)
    for name, command in TREE:
        refused(tap, f"device tree: {name}",
                boot_tampered("sv39", [command], **PATIENCE), "device tree")
    refused(tap, "device tree, 32 bits: a wrong magic number",
            boot_tampered("sv32", ["set *(int *)$a1 = 1"], **PATIENCE),
            "device tree")


def changed_tree(mmu, options, *change):
    """QEMU's own device tree, after fdtput."""
    tree = scratch("tree.dtb")
    boot(mmu, "-machine", f"dumpdtb={tree}")
    subprocess.run(["fdtput", *options, tree, *change], check=True)
    return tree


def lacking_trees(tap):
    for mmu in RISCV:
        tree = changed_tree(mmu, ["-r"], "/memory@80000000")
        refused(tap, f"{mmu}: a device tree without memory",
                boot(mmu, "-dtb", tree, **PATIENCE), "no memory")
        image = 0x80400000 if mmu == "sv32" else 0x80200000
        tree = changed_tree(mmu, ["-tx"], "/memory@80000000", "reg",
                            "0", f"{image - 0x80000:x}", "0", "100000")
        refused(tap, f"{mmu}: with 1 MiB of RAM",
                boot(mmu, "-dtb", tree, **PATIENCE), "too little memory")


def main():
    tap = Tap()
    poor_machines(tap)
    bad_loaders(tap)
    lacking_trees(tap)
    tap.done()


main()
