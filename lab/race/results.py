"""The results: one file of lines, and tables to look at."""

import statistics

COLUMNS = ("suite", "workload", "contender", "metric", "median", "min", "max")
TITLES = {
    "ns": "nanoseconds per operation",
    "instructions": "instructions per operation (callgrind)",
    "p50_ns": "nanoseconds of one malloc or free, half are below",
    "p99_ns": "nanoseconds of one malloc or free, 99 % are below",
    "p99.99_ns": "nanoseconds of one malloc or free, 99.99 % are below",
    "peak_ratio": "resident memory at its peak, by bytes live",
    "percent": "% of free memory in whole large-page groups (more is better)",
    "bytes_per_MiB": "bytes of metadata for each MiB",
}


def write_tsv(path, results):
    """results: {(suite, workload, contender, metric): [value, ...]}"""
    with open(path, "w", encoding="utf-8") as file:
        print(*COLUMNS, sep="\t", file=file)
        for key, values in results.items():
            figures = statistics.median(values), min(values), max(values)
            print(*key, *(f"{x:.6g}" for x in figures), sep="\t", file=file)


def number(value):
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:,.{digits}f}"


def best_of(cells, names, metric):
    """Whose median is best of those named; None: none of them is here."""
    choose = max if metric == "percent" else min
    return choose((name for name in names if name in cells), default=None,
                  key=lambda name: statistics.median(cells[name]))


def ratio(ours, peers):
    """The median of the rounds' ratios: what slows down a whole round leaves
    them as they are."""
    ratios = [our / peer for our, peer in zip(ours, peers) if peer]
    return f"{statistics.median(ratios):.2f}" if ratios else ""


def verdict(cells, ours, peers, metric):
    """{heading: text} of what follows the contenders' columns. Where there is
    but one of ours or of the peers, it is plain who is best."""
    our, peer = (best_of(cells, names, metric) for names in (ours, peers))
    texts = {}
    if len(ours) > 1:
        texts["best\noct"] = \
            number(statistics.median(cells[our])) if our else ""
    if len(peers) > 1:
        texts["best\npeer"] = \
            number(statistics.median(cells[peer])) if peer else ""
        texts[""] = peer or ""
    if ours and peers:
        texts["ratio"] = ratio(cells[our], cells[peer]) if our and peer else ""
    texts["spread"] = spread(cells)
    return texts


def spread(cells):
    """The widest of the row: half of what lies between least and most."""
    widest = max((max(values) - min(values)) / 2 /
                 (statistics.median(values) or 1) for values in cells.values())
    return f"±{100 * widest:.0f} %"


def aligned(header, rows):
    """The first column to the left, others to the right; a heading may have
    several lines, and stands on the last."""
    heads = [text.split("\n") for text in header]
    tall = max(map(len, heads))
    heads = [[""] * (tall - len(lines)) + lines for lines in heads]
    lines = [list(line) for line in zip(*heads)] + rows
    widths = [max(map(len, column)) for column in zip(*lines)]
    texts = ["  ".join([line[0].ljust(widths[0])] +
                       [cell.rjust(width) for cell, width
                        in zip(line[1:], widths[1:])]).rstrip()
             for line in lines]
    texts.insert(tall, "-" * (sum(widths) + 2 * len(widths) - 2))
    return "\n".join(texts)


def metric_table(rows, contenders, metric):
    """rows: {workload: {contender: [value, ...]}}"""
    present = [c for c in contenders
               if any(c.name in cells for cells in rows.values())]
    ours = [c.name for c in present if c.is_oct()]
    peers = [c.name for c in present if not c.is_oct()]
    header, lines = [], []
    for workload, cells in rows.items():
        more = verdict(cells, ours, peers, metric)
        header = ["", *(c.name.replace("-", "\n") for c in present), *more]
        lines.append([workload] + [
            number(statistics.median(cells[c.name])) if c.name in cells else "-"
            for c in present] + list(more.values()))
    return aligned(header, lines)


def order(section):
    suite, metric = section[0]
    return suite != "heap", list(TITLES).index(metric)


def tables(results, contenders):
    sections = {}
    for (suite, workload, contender, metric), values in results.items():
        rows = sections.setdefault((suite, metric), {})
        rows.setdefault(workload, {})[contender] = values
    texts = []
    for (suite, metric), rows in sorted(sections.items(), key=order):
        field = [c for c in contenders if c.suite == suite]
        texts.append(f"{suite}: {TITLES[metric]}\n\n"
                     f"{metric_table(rows, field, metric)}\n")
    return "\n".join(texts)
