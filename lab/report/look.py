"""How the pictures look, and how they get into the page.

Pictures are drawn in stand-in colours, one for each role. In the SVG these
become CSS variables, to which the page gives values for light and for dark:
one picture serves both.
"""

import html
import io
import re

import matplotlib
from matplotlib.figure import Figure

# Roles: text and lines of a picture, then the contenders. What oct does of
# itself stands out, the other choice of oct is near to it.
ROLES = ("text", "faint", "grid", "live", "oct", "oct-other", "glibc",
         "jemalloc", "mimalloc", "tcmalloc", "other")
STAND_IN = {role: f"#0a00{i:02x}" for i, role in enumerate(ROLES, 1)}
# Each one's role, mark and line, the same in all pictures.
CONTENDERS = {"oct-tagged": ("oct", "o", "-"),
              "oct-tagged-buddy": ("oct", "X", "--"),
              "oct-slab": ("oct-other", "s", "-"),
              "oct-slab-buddy": ("oct-other", "p", "--"),
              "oct-bitmap": ("oct", "o", "-"),
              "oct-buddy": ("oct-other", "s", "-"),
              "glibc": ("glibc", "^", "-"), "jemalloc": ("jemalloc", "D", "-"),
              "mimalloc": ("mimalloc", "v", "-"),
              "tcmalloc": ("tcmalloc", "P", "-")}
UNKNOWN = ("other", "x", "-")
WIDTH = 9.2  # inches, of all pictures but maps

matplotlib.rcParams.update({
    "svg.fonttype": "none", "font.size": 9, "axes.titlesize": 9.5,
    "axes.titleweight": "bold", "axes.titlelocation": "left",
    "text.color": STAND_IN["text"], "axes.labelcolor": STAND_IN["text"],
    "axes.titlecolor": STAND_IN["text"], "axes.edgecolor": STAND_IN["faint"],
    "xtick.color": STAND_IN["faint"], "ytick.color": STAND_IN["faint"],
    "xtick.labelcolor": STAND_IN["text"], "ytick.labelcolor": STAND_IN["text"],
    "grid.color": STAND_IN["grid"], "grid.linewidth": 0.6, "axes.grid": True,
    "axes.axisbelow": True, "axes.spines.top": False,
    "axes.spines.right": False, "legend.frameon": False})


def colour(contender):
    return STAND_IN[CONTENDERS.get(contender, UNKNOWN)[0]]


def marker(contender):
    return CONTENDERS.get(contender, UNKNOWN)[1]


def line_style(contender):
    return CONTENDERS.get(contender, UNKNOWN)[2]


def is_oct(contender):
    return contender.startswith("oct")


def in_order(contenders):
    """oct first, then the peers by name."""
    known = list(CONTENDERS)
    return sorted(set(contenders), key=lambda c: (
        known.index(c) if c in known else len(known), c))


class Picture:
    """A figure of matplotlib with a grid of panels, measured in inches so that
    text never meets text, whatever the number of panels."""

    def __init__(self, panels, columns, panel_height, *, left=0.6, right=0.1,
                 gap=0.5, top=0.35, head=0.0, foot=0.5, width=WIDTH):
        columns = min(columns, panels)
        rows = -(-panels // columns)
        height = head + rows * (top + panel_height) + foot * rows
        self.figure = Figure(figsize=(width, height))
        self.tips = {}
        self.axes = []
        cell = (width + gap) / columns
        for i in range(panels):
            row, column = divmod(i, columns)
            bottom = height - head - (row + 1) * (top + panel_height) \
                - row * foot
            self.axes.append(self.figure.add_axes((
                (column * cell + left) / width, bottom / height,
                (cell - gap - left - right) / width, panel_height / height)))

    def tip(self, artist, text):
        """Text to be shown when the pointer is over that."""
        ident = f"tip-{len(self.tips)}"
        artist.set_gid(ident)
        self.tips[ident] = text

    def legend(self, handles, columns=7):
        self.figure.legend(handles=handles, loc="upper left", ncol=columns,
                           borderpad=0, borderaxespad=0.2,
                           bbox_to_anchor=(0, 1))

    def svg(self, ident, title, description):
        """For inlining: no two pictures of a page share an id."""
        matplotlib.rcParams["svg.hashsalt"] = ident
        file = io.StringIO()
        self.figure.savefig(file, format="svg", transparent=True,
                            metadata={"Date": None, "Creator": None})
        text = file.getvalue()
        text = text[text.index("<svg"):]
        for pattern in (r"<metadata>.*?</metadata>", r"<style.*?</style>",
                        r"<!--.*?-->"):
            text = re.sub(pattern, "", text, flags=re.S)
        for key, tip in self.tips.items():
            text = text.replace(f'<g id="{key}">', f'<g id="{key}"><title>'
                                f'{html.escape(tip)}</title>')
        for role, stand_in in STAND_IN.items():
            text = text.replace(stand_in, f"var(--{role})")
        text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{ident}-", text)
        # Twice matplotlib's words for a font: alone, or with size and weight.
        text = re.sub(r"'DejaVu Sans'[^;\"]*sans-serif",
                      "system-ui, sans-serif", text)
        width, height = self.figure.get_size_inches() * 72
        head = (f'<svg viewBox="0 0 {width:g} {height:g}" role="img" '
                f'aria-labelledby="{ident}-title {ident}-desc" '
                f'style="--natural: {width * 1.39:.0f}px" '
                'xmlns="http://www.w3.org/2000/svg" '
                'xmlns:xlink="http://www.w3.org/1999/xlink">'
                f'<title id="{ident}-title">{html.escape(title)}</title>'
                f'<desc id="{ident}-desc">{html.escape(description)}</desc>')
        return re.sub(r"<svg.*?>", lambda _: head, text, count=1, flags=re.S)
