"""What changes with something else, as curves: cost over the size of RAM, time
over how rare the slow operations are, memory taken over a trace."""

from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from chart import Chart
from look import STAND_IN, Picture, colour, in_order, is_oct, line_style, marker
from tables import Missing, listed, number, size, size_text

POINTS = 300  # of a curve at most: there are no more pixels
DECADES = 10  # from this ratio of most to least on, the axis is logarithmic


def handle(contender):
    return Line2D([], [], color=colour(contender), marker=marker(contender),
                  markersize=5, linestyle=line_style(contender),
                  linewidth=2 if is_oct(contender) else 1.4, label=contender)


def line(axes, contender, xs, ys, **more):
    return axes.plot(xs, ys, color=colour(contender),
                     linestyle=line_style(contender),
                     linewidth=2 if is_oct(contender) else 1.4, **more)[0]


def scale_y(axes, values):
    """Logarithmic if the values, all of one panel, span decades."""
    if min(values) > 0 and max(values) / min(values) >= DECADES:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(numticks=6))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.set_ylim(0, max(values) * 1.1 or 1)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))


# --- over the size of RAM ---

def by_size(table):
    """{what: {contender: [(bytes, Value)]}} of the workloads "what@size"."""
    curves = {}
    for workload, values in table.items():
        what, _, parameter = workload.partition("@")
        if size(parameter):
            for contender, value in values.items():
                curves.setdefault(what, {}).setdefault(contender, []).append(
                    (size(parameter), value))
    if not curves:
        raise Missing("Nothing was measured at several sizes of RAM.")
    return {what: {c: sorted(points, key=lambda p: p[0])
                   for c, points in contenders.items()}
            for what, contenders in curves.items()}


def draw_sizes(axes, contenders, what, unit, sizes, picture):
    for contender in in_order(contenders):
        xs, values = zip(*contenders[contender])
        line(axes, contender, xs, [v.median for v in values])
        axes.fill_between(xs, [v.least for v in values],
                          [v.most for v in values], color=colour(contender),
                          alpha=0.18, linewidth=0)
        for x, value in zip(xs, values):
            dot, = axes.plot([x], [value.median], marker(contender),
                             color=colour(contender), markersize=4.5)
            picture.tip(dot, f"{contender}, {what}, {size_text(x)} of RAM: "
                        f"{number(value.median)} {unit}")
    axes.set_xscale("log", base=2)
    axes.set_xlim(sizes[0] / 1.3, sizes[-1] * 1.3)
    axes.set_xticks(sizes[::-(-len(sizes) // 4)],
                    [size_text(s) for s in sizes[::-(-len(sizes) // 4)]])
    axes.xaxis.set_minor_locator(NullLocator())
    scale_y(axes, [v.median for points in contenders.values()
                   for _, v in points])


def growth(curves, contender, unit):
    """What grows most with RAM for that contender, and how much from which size
    to which."""
    grown = {}
    for what, contenders in curves.items():
        points = contenders.get(contender, [])
        if len(points) > 1 and points[0][1].median > 0:
            grown[what] = points[-1][1].median / points[0][1].median
    if not grown:
        return f"{contender} was measured at one size only"
    worst = max(grown, key=grown.get)
    (least, first), *_, (most, last) = curves[worst][contender]
    extent = f"from {size_text(least)} to {size_text(most)} of RAM"
    if len(curves) == 1:
        return f"{contender} goes from {number(first.median)} to " \
            f"{number(last.median)} {unit} {extent}"
    return f"{contender} grows most in {worst}, {grown[worst]:.1f}-fold " \
        f"{extent}"


def over_size(ident, title, table, unit):
    curves = by_size(table)
    sizes = sorted({x for contenders in curves.values()
                    for points in contenders.values() for x, _ in points})
    names = in_order(c for contenders in curves.values() for c in contenders)
    picture = Picture(len(curves), 3 if len(curves) > 2 else 2, 1.35,
                      left=0.78, right=0.2, gap=0.05, head=0.3, foot=0.55)
    for axes, (what, contenders) in zip(picture.axes, curves.items()):
        axes.set_title(what)
        axes.set_ylabel(unit)
        axes.set_xlabel("RAM", fontsize=8)
        draw_sizes(axes, contenders, what, unit, sizes, picture)
    picture.legend([handle(c) for c in names])
    sentence = "; ".join(growth(curves, c, unit) for c in names) + "."
    rows = [["workload", "contender", "RAM", unit, "least", "most"]] + [
        [what, c, size_text(x), number(v.median), number(v.least),
         number(v.most)]
        for what, contenders in curves.items() for c in in_order(contenders)
        for x, v in contenders[c]]
    return Chart(ident, title, sentence, picture.svg(ident, title, sentence),
                 rows)


# --- the slowest operations ---

def draw_tail(axes, workload, shares, medians, unit, picture):
    """medians: {contender: [one for each share]}"""
    for contender, ys in medians.items():
        curve = line(axes, contender, range(len(shares)), ys,
                     marker=marker(contender), markersize=4.5)
        picture.tip(curve, f"{contender}, {workload}: " + ", ".join(
            f"{s} % within {number(y)} {unit}" for s, y in zip(shares, ys)))
    axes.set_title(workload)
    axes.set_ylabel(unit)
    axes.set_xlabel("% of operations within", fontsize=8)
    axes.set_xticks(range(len(shares)), shares)
    axes.set_xlim(-0.2, len(shares) - 0.8)
    scale_y(axes, [y for ys in medians.values() for y in ys])


def tails(percentiles):
    """{workload: {contender: [median of each share]}}, where all are known."""
    found = {}
    for workload in next(iter(percentiles.values())):
        columns = [table.get(workload, {}) for table in percentiles.values()]
        names = set.intersection(*map(set, columns))
        if names:
            found[workload] = {c: [column[c].median for column in columns]
                               for c in in_order(names)}
    if not found:
        raise Missing("No workload has all percentiles.")
    return found


def tail(ident, title, percentiles, unit):
    """percentiles: {"50": {workload: {contender: Value}}, ...}, rarer last."""
    shares, workloads = list(percentiles), tails(percentiles)
    names = in_order(c for medians in workloads.values() for c in medians)
    picture = Picture(len(workloads), 3, 1.3, left=0.78, right=0.2, gap=0.05,
                      head=0.3)
    for axes, (workload, medians) in zip(picture.axes, workloads.items()):
        draw_tail(axes, workload, shares, medians, unit, picture)
    picture.legend([handle(c) for c in names])
    rarest = {c: max(medians[c][-1] for medians in workloads.values()
                     if c in medians) for c in names}
    sentence = (f"{shares[-1]} % of the operations are over, in the worst "
                "workload, within " + listed(
                    f"{number(rarest[c])} {unit} ({c})"
                    for c in sorted(rarest, key=rarest.get)) + ".")
    rows = [["workload", "contender", *(f"{s} %, {unit}" for s in shares)]] + [
        [workload, c, *map(number, ys)]
        for workload, medians in workloads.items() for c, ys in medians.items()]
    return Chart(ident, title, sentence, picture.svg(ident, title, sentence),
                 rows)


# --- fragmentation over a trace ---

def samples(rows):
    """{trace: {contender: [(step, live, taken)]}}, the bytes as MiB."""
    traces = {}
    for row in rows:
        traces.setdefault(row["trace"], {}).setdefault(
            row["contender"], []).append(
                (int(row["step"]), int(row["live"]) / (1 << 20),
                 int(row["taken"]) / (1 << 20)))
    return traces


def thinned(points):
    every = -(-len(points) // POINTS)
    return points[::every]


def draw_trace(axes, trace, contenders, picture):
    live = thinned(next(iter(contenders.values())))
    axes.fill_between([p[0] for p in live], [p[1] for p in live],
                      color=STAND_IN["live"], linewidth=0)
    for contender in reversed(in_order(contenders)):
        points = thinned(contenders[contender])
        curve = line(axes, contender, [p[0] for p in points],
                     [p[2] for p in points], drawstyle="steps-post")
        picture.tip(curve, f"{contender}, {trace}")
    axes.set_title(trace)
    axes.set_ylabel("MiB")
    axes.set_xlabel("step of the trace", fontsize=8)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(FuncFormatter(
        lambda v, _: number(v / 1000) + "k" if v >= 1000 else number(v)))
    axes.locator_params(axis="x", nbins=5)


def peaks(contenders):
    """{contender: (most taken, most live)}, MiB."""
    return {c: (max(p[2] for p in contenders[c]),
                max(p[1] for p in contenders[c])) for c in in_order(contenders)}


def over_time(ident, title, rows):
    traces = samples(rows)
    names = in_order(c for contenders in traces.values() for c in contenders)
    picture = Picture(len(traces), 2, 1.6, left=0.65, right=0.2, gap=0.1,
                      head=0.3)
    numbers = [["trace", "contender", "most taken, MiB", "most live, MiB",
                "taken to live"]]
    worst = {}
    for axes, (trace, contenders) in zip(picture.axes, traces.items()):
        draw_trace(axes, trace, contenders, picture)
        for c, (taken, live) in peaks(contenders).items():
            share = taken / live if live else 0
            worst[c] = max(worst.get(c, (0, "")), (share, trace))
            numbers.append([trace, c, number(taken), number(live),
                            f"{share:.2f}"])
    picture.legend([handle(c) for c in names] + [
        Patch(color=STAND_IN["live"], label="live bytes")])
    for entry in picture.figure.legends[0].get_lines():
        entry.set_marker("")
    sentence = ("The gap between a line and the live bytes is lost. At its "
                "peak, and in the worst trace, what is taken is this many "
                "times the most that is live: " + listed(
                    f"{c} {share:.2f} ({trace})"
                    for c, (share, trace) in worst.items()) + ".")
    return Chart(ident, title, sentence, picture.svg(ident, title, sentence),
                 numbers)
