"""What a chart is to the page."""

from typing import NamedTuple


class Chart(NamedTuple):
    """A picture and what goes with it."""
    ident: str     # "chart-..."
    title: str     # what is measured
    sentence: str  # what to see, found in the data
    body: str      # the SVG, or other HTML
    numbers: list  # rows of texts, first the header; [] if the body has them
