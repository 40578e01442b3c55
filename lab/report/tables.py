"""The measurements that the report is drawn from: tab-separated tables."""

import csv
import os
import re

UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


class Missing(Exception):
    """There is nothing to draw, and why."""


class Value:
    """A median and the least and most that it is the median of."""

    def __init__(self, row):
        self.median, self.least, self.most = (
            float(row[column]) for column in ("median", "min", "max"))


class Tables:
    """The tables of a folder, each read once."""

    def __init__(self, folder):
        self.folder = folder
        self.read = {}

    def rows(self, name, made_by):
        """All rows as {column: text}. made_by: the target that makes it."""
        if name not in self.read:
            path = os.path.join(self.folder, name)
            if not os.path.exists(path):
                raise Missing(f"There is no {name}. `make {made_by}` makes it, "
                              "if all that it runs is installed.")
            with open(path, encoding="utf-8", newline="") as file:
                self.read[name] = list(csv.DictReader(file, delimiter="\t"))
        if not self.read[name]:
            raise Missing(f"{name} has no rows: `make {made_by}` anew.")
        return self.read[name]

    def values(self, name, made_by, suite, metric):
        """{workload: {contender: Value}} in the order of the table."""
        found = {}
        for row in self.rows(name, made_by):
            if (row["suite"], row["metric"]) == (suite, metric):
                found.setdefault(row["workload"], {})[row["contender"]] = \
                    Value(row)
        if not found:
            raise Missing(f"{name} has no {metric} of the suite \"{suite}\": "
                          "it was not measured here.")
        return found


def size(text):
    """Bytes that "64MiB" means; None if it is no size."""
    match = re.fullmatch(r"(\d+)([KMGT]iB|)", text)
    return int(match[1]) * UNITS[match[2]] if match else None


def size_text(count):
    for unit in reversed(UNITS):
        if count >= UNITS[unit]:
            return f"{count / UNITS[unit]:g} {unit or 'B'}"
    return f"{count:g} B"


def number(value):
    """To three digits, as one would say it."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def listed(words):
    """"a", "a and b", "a, b and c"."""
    words = list(words)
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + " and " + words[-1]
