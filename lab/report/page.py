"""The page around the charts: one file, which asks nobody for anything."""

import html
import os

from chart import Chart

HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>oct: memory, measured</title>
<link rel="icon" href="data:,">
<style>
{css}</style>
</head>
<body>
<header>
<h1>oct: memory, measured</h1>
<p>Times only mean something beside the others of the same run, on the same
machine. Thin lines across bars and bands around curves reach from the least to
the most that was measured; what is drawn is the median.</p>
<dl>
{facts}</dl>
</header>
<nav aria-label="Contents">
<ul>
{contents}</ul>
</nav>
<main>
"""


def escape(text):
    return html.escape(str(text))


def table(rows):
    """The first row is the header; the first column names the row."""
    head = "".join(f'<th scope="col">{escape(c)}</th>' for c in rows[0])
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>"
        for row in rows[1:])
    return f"<table>\n<thead><tr>{head}</tr></thead>\n" \
        f"<tbody>\n{body}\n</tbody>\n</table>\n"


def figure(chart):
    numbers = ""
    if chart.numbers:
        numbers = "<details><summary>The numbers</summary>\n" \
            f'<div class="scroll">{table(chart.numbers)}</div></details>\n'
    return (f'<figure id="{chart.ident}" data-chart>\n'
            f"<h3>{escape(chart.title)}</h3>\n"
            f'<div class="scroll">{chart.body}</div>\n'
            f"<figcaption>{escape(chart.sentence)}</figcaption>\n"
            f"{numbers}</figure>\n")


def missing(ident, title, why):
    return (f'<figure id="{ident}" data-chart data-missing>\n'
            f"<h3>{escape(title)}</h3>\n"
            f"<p><strong>Not drawn.</strong> {escape(why)}</p>\n</figure>\n")


def compare_chart(ident, title, rows):
    """Guest instructions, a row an operation and a column a machine; how far
    a cell is filled shows its share of the row's most."""
    machines = list(dict.fromkeys(row["machine"] for row in rows))
    cells = {}
    for row in rows:
        if row["kind"] == "bench":
            name = row["name"].replace("_", " ")
            cells.setdefault((name, row["choice"]), {})[row["machine"]] = \
                float(row["value"])
    lines = []
    for (name, choice), values in cells.items():
        most = max(values.values()) or 1
        lines.append(f"<tr><td>{escape(name)}</td><td>{escape(choice)}</td>" +
                     "".join(cell(values.get(m), most) for m in machines) +
                     "</tr>")
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in
                   ["operation", "choice", *machines])
    body = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n" + \
        "\n".join(lines) + "\n</tbody>\n</table>\n"
    return Chart(ident, title, apart(cells), body, [])


def cell(value, most):
    if value is None:
        return "<td>-</td>"
    return f'<td class="share" style="--share:{100 * value / most:.0f}%">' \
        f"{value:,.1f}</td>"


def apart(cells):
    """Where the machines are nearest to each other, and where furthest."""
    spread = {key: max(values.values()) / min(values.values())
              for key, values in cells.items() if min(values.values()) > 0}
    near, far = min(spread, key=spread.get), max(spread, key=spread.get)
    least = min(cells[far], key=cells[far].get)
    most = max(cells[far], key=cells[far].get)
    return (f"The machines agree best on \"{near[0]}\" ({near[1]}): the most "
            f"is {spread[near]:.2f} times the least. They differ most on "
            f"\"{far[0]}\" ({far[1]}): {cells[far][least]:,.0f} on {least}, "
            f"{cells[far][most]:,.0f} on {most}.")


def write(path, facts, sections):
    """sections: {heading: [(ident, title, HTML of the figure)]}"""
    with open(os.path.join(os.path.dirname(__file__), "page.css"),
              encoding="utf-8") as file:
        css = file.read()
    contents = "".join(
        f'<li><a href="#{figures[0][0]}">{escape(heading)}</a></li>\n'
        for heading, figures in sections.items())
    body = ""
    for heading, figures in sections.items():
        kind = ' class="maps"' if len(figures) > 1 and all(
            "-map-" in ident for ident, _, _ in figures) else ""
        body += f"<section>\n<h2>{escape(heading)}</h2>\n<div{kind}>\n" + \
            "".join(text for _, _, text in figures) + "</div>\n</section>\n"
    head = HEAD.format(css=css, contents=contents, facts="".join(
        f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>\n"
        for k, v in facts.items()))
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{head}{body}</main>\n</body>\n</html>\n")
