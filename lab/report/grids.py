"""Maps of the machines' frames: a dot a frame, a colour an owner."""

import html

import numpy
from matplotlib.colors import to_rgba

from chart import Chart
from look import Picture
from tables import Missing, size_text

FRAME = 4096
ROW = 256        # frames: a row of the map is a MiB
GROUP = 2 << 20  # bytes of a large page

# Told apart by whoever sees colours differently, on white and on black: those
# that own much are as Okabe and Ito have them.
OWNERS = {"free": "none", "heap": "#0072b2", "vmalloc": "#cc79a7",
          "alloc_pages": "#e69f00", "object caches": "#009e73",
          "page tables": "#d55e00", "kernel image": "#8a63d2",
          "firmware": "#808080", "kernel": "#56b4e9", "user": "#b7a51c"}
SPARE = ["#a05a2c", "#5f8f8f", "#b05080", "#7a8a20", "#6a6aa0", "#a08050"]


def colours(owners):
    """The same for an owner on each map."""
    spare = iter(SPARE * len(owners))
    return {o: OWNERS.get(o) or next(spare) for o in sorted(owners)}


def of_machine(rows, machine):
    """Its runs [(owner, address, frames)], and the colours of all owners."""
    runs = [(row["owner"], int(row["address"], 16), int(row["frames"]))
            for row in rows if row["machine"] == machine]
    if not runs:
        raise Missing(f"There is no map of {machine} in maps.tsv.")
    return runs, colours({row["owner"] for row in rows})


def cells(runs, palette):
    """The picture, and the address of its first row."""
    start = min(address for _, address, _ in runs) // (ROW * FRAME)
    end = max(address + n * FRAME for _, address, n in runs)
    rows = -(-end // (ROW * FRAME)) - start
    image = numpy.zeros((rows * ROW, 4))
    for owner, address, n in runs:
        first = address // FRAME - start * ROW
        image[first:first + n] = (0, 0, 0, 0) if palette[owner] == "none" \
            else to_rgba(palette[owner])
    return image.reshape(rows, ROW, 4), start * ROW * FRAME


def free_sizes(runs):
    """Bytes of each free run, and how many whole large pages are in them."""
    free = [(a, n * FRAME) for owner, a, n in runs if owner == "free"]
    if not free:
        raise Missing("No frame of the machine is free.")
    whole = sum(max(0, (a + n) // GROUP - -(-a // GROUP)) for a, n in free)
    return [n for _, n in free], whole


def percent(share):
    return f"{100 * share:.1f}\u00a0%" if share >= 0.0005 else "< 0.1\u00a0%"


def legend(shares, palette):
    items = "".join(
        f'<li><span class="swatch" style="background:{palette[owner]}"></span>'
        f'{html.escape(owner)} <b>{percent(share)}</b></li>'
        for owner, share in shares.items())
    return f'<ul class="legend">{items}</ul>'


def owner_shares(runs):
    frames = {}
    for owner, _, n in runs:
        frames[owner] = frames.get(owner, 0) + n
    total = sum(frames.values())
    return {owner: frames[owner] / total
            for owner in sorted(frames, key=frames.get, reverse=True)}


def frame_map(ident, title, runs, palette):
    image, start = cells(runs, palette)
    picture = Picture(1, 1, 2.5, left=0.65, right=0.25, gap=0, width=4.4,
                      top=0.15)
    axes = picture.axes[0]
    axes.imshow(image, interpolation="none", aspect="auto",
                extent=(0, ROW * FRAME / 1024, len(image), 0))
    axes.grid(False)
    for side in axes.spines.values():
        side.set_visible(True)
    axes.set_xticks(range(0, 1025, 256))
    axes.set_xlabel("KiB within the MiB", fontsize=8)
    axes.set_ylabel(f"MiB of RAM from {start:#x} on", fontsize=8)
    sizes, whole = free_sizes(runs)
    shares = owner_shares(runs)
    sentence = (f"{100 * shares['free']:.0f} % of the frames are free, in "
                f"{len(sizes)} runs: the longest has "
                f"{size_text(round(max(sizes) / (1 << 20), 1) * (1 << 20))}, "
                f"and {100 * whole * GROUP / sum(sizes):.0f} % of the free "
                "memory is in whole large pages of 2 MiB.")
    rows = [["owner", "share of the frames"]] + [
        [owner, f"{100 * share:.2f} %"] for owner, share in shares.items()]
    return Chart(ident, title, sentence, picture.svg(ident, title, sentence)
                 + legend(shares, palette), rows)
