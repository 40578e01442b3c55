"""Races: who is how fast, or needs how much, as bars; a panel a workload."""

import math

from chart import Chart
from look import STAND_IN, Picture, colour, in_order, is_oct
from tables import listed, number

PEER, LIVE = "times the best peer", "times what is live"  # on the axes
FURTHEST = 4.0  # times the best peer, where bars are cut


def best_peer(values):
    """(contender, median) of the fastest that is not oct; of all if oct ran
    alone."""
    peers = {c: v for c, v in values.items() if not is_oct(c)} or values
    best = min(peers, key=lambda c: peers[c].median)
    return best, peers[best].median


def ratio(values, contender):
    return values[contender].median / best_peer(values)[1]


def draw_panel(picture, axes, workload, values, unit, scale, furthest):
    base, axis = scale
    contenders = in_order(values)
    axes.set_title(workload)
    for y, contender in enumerate(contenders):
        value, cut = values[contender], furthest * 1.02
        length = min(value.median / base, cut)
        bar, = axes.barh(y, length, 0.74, color=colour(contender))
        said = f"{number(value.median)}{unit}"
        picture.tip(bar, f"{contender}, {workload}: {said} "
                    f"({number(value.least)} to {number(value.most)}), "
                    f"{value.median / base:.2f} {axis}")
        axes.plot([min(value.least / base, cut), min(value.most / base, cut)],
                  [y, y], color=STAND_IN["text"], linewidth=1)
        arrow = "\u25b8 " if value.median / base > furthest else ""
        axes.text(1.02, y, f"{arrow}{said}", va="center",
                  transform=axes.get_yaxis_transform(),
                  weight="bold" if is_oct(contender) else "normal")
    axes.axvline(1, color=STAND_IN["text"], linewidth=0.9,
                 linestyle=(0, (4, 3)))
    axes.set_xlabel(axis, fontsize=8)
    axes.set_yticks(range(len(contenders)), contenders)
    for label in axes.get_yticklabels():
        label.set_weight("bold" if is_oct(label.get_text()) else "normal")
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    axes.set_ylim(len(contenders) - 0.4, -0.6)
    axes.set_xlim(0, furthest * 1.02)


def draw(table, unit, axis, bases):
    """bases: {workload: what is 1 on its axis}."""
    most = max(v.most / bases[w] for w in table for v in table[w].values())
    rows = max(len(values) for values in table.values())
    longest = max(len(name) for values in table.values() for name in values)
    picture = Picture(len(table), 3 if longest < 12 else 2, 0.16 * rows + 0.08,
                      left=0.08 * longest + 0.05, right=0.68,
                      gap=0.05, foot=0.48)
    for axes, (workload, values) in zip(picture.axes, table.items()):
        draw_panel(picture, axes, workload, values, unit,
                   (bases[workload], axis), max(min(most, FURTHEST), 1.2))
    return picture


def numbers(table, unit, axis, bases):
    header = ["workload", "contender", f"median{unit}", "least", "most",
              axis]
    return [header] + [
        [workload, contender, number(v.median), number(v.least),
         number(v.most), f"{v.median / bases[workload]:.2f}"]
        for workload, values in table.items()
        for contender, v in ((c, values[c]) for c in in_order(values))]


def absent(table):
    """A sentence about contenders that others of their table miss."""
    everybody = in_order(c for values in table.values() for c in values)
    peers = {"glibc", "jemalloc", "mimalloc", "tcmalloc"} - set(everybody)
    if not peers or not any(is_oct(c) for c in everybody):
        return ""
    return f" Not installed, so not measured: {listed(sorted(peers))}."


def standing(table, contender):
    """How a contender of oct's did against the best peers."""
    ratios = {workload: ratio(values, contender)
              for workload, values in table.items() if contender in values}
    best, worst = min(ratios, key=ratios.get), max(ratios, key=ratios.get)
    peer = best_peer(table[worst])[0]
    if len(ratios) == 1:
        return f"{contender}: {ratios[best]:.2f} of {peer}'s."
    ahead = sum(r <= 1 for r in ratios.values())
    mean = math.exp(sum(map(math.log, ratios.values())) / len(ratios))
    return (f"{contender}: not behind the best peer in {ahead} of "
            f"{len(ratios)} workloads; {mean:.2f} of that peer's on the "
            f"geometric mean, from {ratios[best]:.2f} ({best}) to "
            f"{ratios[worst]:.2f} ({worst}, against {peer}).")


def race(ident, title, table, unit):
    """Ratios to the best peer, lower is better."""
    bases = {workload: best_peer(values)[1]
             for workload, values in table.items()}
    ours = [c for c in in_order(c for v in table.values() for c in v)
            if is_oct(c)]
    sentence = " ".join(standing(table, c) for c in ours) + absent(table) \
        or "oct itself was not measured."
    picture = draw(table, unit, PEER, bases)
    return Chart(ident, title, sentence, picture.svg(ident, title, sentence),
                 numbers(table, unit, PEER, bases))


def overhead(ident, title, table):
    """Ratios to what the program itself has."""
    bases = dict.fromkeys(table, 1.0)
    worst = {}
    for workload, values in table.items():
        for contender, value in values.items():
            if value.median > worst.get(contender, (0, ""))[0]:
                worst[contender] = value.median, workload
    where = " ({})" if len(table) > 1 else ""
    sentence = "At the most: " + listed(
        f"{c} {worst[c][0]:.2f}{where.format(worst[c][1])}"
        for c in in_order(worst)) + "."
    picture = draw(table, "", LIVE, bases)
    return Chart(ident, title, sentence + absent(table),
                 picture.svg(ident, title, sentence),
                 numbers(table, "", LIVE, bases))
