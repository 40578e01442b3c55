#!/usr/bin/env -S python3 -B
"""The report, from small tables made here, opened in a headless browser:
every chart is there and has a size, all text can be read in light and in dark,
a narrow window is enough, and nothing is fetched from anywhere."""

import html
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser",
            "google-chrome")
PEERS = ("glibc", "jemalloc", "mimalloc", "tcmalloc")
HEAPS = PEERS + ("oct-slab", "oct-slab-buddy", "oct-tagged")
WORKLOADS = ("pair_64", "pair_4096", "batch_lifo_64", "batch_mixed", "churn@1k",
             "churn@10k", "churn@100k", "larson", "prodcons", "realloc")
FRAMES = ("pair", "fill", "churn90", "churn90_2threads", "one_left",
          "one_left_cold", "run8", "run64", "run512", "impossible512")
SIZES = ("64MiB", "1GiB", "16GiB", "256GiB")
MACHINES = ("i386", "pae", "sv32", "sv39", "sv48")
CHARTS = ("heap-ns heap-instructions heap-tail heap-peak trace-ns trace-peak "
          "fragmentation frames-ns frames-fragmentation frames-metadata "
          "map-i386 map-pae map-sv32 map-sv39 map-sv48 compare").split()
BENCH = "suite workload contender metric median min max".split()

# Runs in the page's own place, before anything else in it.
WATCH = """<script>
window.faults = [];
addEventListener("error", e => faults.push(e.message || "not loaded: " +
    (e.target.src || e.target.href)), true);
</script>"""

# Runs when all of the page is there, and leaves what it found in the page.
MEASURE = """<script>
function channels(colour) {
    return colour.match(/[0-9.]+/g).map(Number);
}
function luminance(colour) {
    const [r, g, b] = channels(colour).slice(0, 3).map(c => c / 255).map(
        c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function background(element) {
    for (; element; element = element.parentElement) {
        const colour = getComputedStyle(element).backgroundColor;
        const [, , , alpha = 1] = channels(colour);
        if (alpha > 0) return colour;
    }
    return "rgb(255, 255, 255)";
}
function contrast(element, colour) {
    const [a, b] = [luminance(colour), luminance(background(element))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
// Of a bar, a line or a dot: its tooltip stands in the same group.
function visibility(group) {
    const style = getComputedStyle(
        group.querySelector("use") || group.querySelector("path"));
    return contrast(group, style.fill == "none" ? style.stroke : style.fill);
}
function chart(figure) {
    const svg = figure.querySelector("svg");
    const box = figure.getBoundingClientRect();
    const drawn = svg ? svg.getBBox() : box;
    return {id: figure.id, missing: figure.hasAttribute("data-missing"),
        width: Math.min(box.width, drawn.width),
        height: Math.min(box.height, drawn.height),
        marks: svg ? svg.querySelectorAll("g > title, image").length : 1,
        pale: svg ? [...svg.querySelectorAll("g > title")].filter(
            title => visibility(title.parentElement) < 3).map(
            title => title.textContent) : [],
        texts: svg ? svg.querySelectorAll("text").length : 0,
        outside: svg ? [...svg.querySelectorAll("text")].filter(t => {
            const b = t.getBoundingClientRect();
            const s = svg.getBoundingClientRect();
            return b.left < s.left - 1 || b.right > s.right + 1 ||
                b.top < s.top - 1 || b.bottom > s.bottom + 1;
        }).map(t => t.textContent) : [],
        title: figure.querySelector("h3").textContent,
        sentence: figure.querySelector("figcaption, p").textContent};
}
addEventListener("load", () => {
    const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
    const links = [...document.querySelectorAll("nav a")];
    const found = {
        dark: matchMedia("(prefers-color-scheme: dark)").matches,
        charts: [...document.querySelectorAll("[data-chart]")].map(chart),
        contrasts: [
            ...[...document.querySelectorAll("svg text")].map(
                e => contrast(e, getComputedStyle(e).fill)),
            ...[...document.querySelectorAll(
                "p, li, dd, th, td, a, summary, figcaption, h1, h2, h3")].map(
                e => contrast(e, getComputedStyle(e).color))],
        strays: ids.filter((id, i) => ids.indexOf(id) < i).concat(links.filter(
            a => !document.querySelector(a.getAttribute("href"))).map(String)),
        width: document.documentElement.scrollWidth, window: innerWidth,
        fetched: performance.getEntriesByType("resource").map(e => e.name)
            .filter(name => !name.startsWith("data:")),
        faults};
    const pre = document.createElement("pre");
    pre.id = "measured";
    pre.textContent = JSON.stringify(found);
    document.body.append(pre);
});
</script>"""


class Tap:
    """Prints results as the Test Anything Protocol."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, good, name, detail=""):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
        if not good:
            for line in str(detail).splitlines():
                print("#", line)

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


# --- tables to draw ---

def write(folder, name, header, rows):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        for row in (header, *rows):
            print(*row, sep="\t", file=file)


def around(value):
    return f"{value:.2f}", f"{value * 0.9:.2f}", f"{value * 1.2:.2f}"


def heap_rows(chance):
    """On each workload oct-tagged takes half of the best peer's time."""
    for i, workload in enumerate(WORKLOADS):
        for j, who in enumerate(HEAPS):
            cost = 10 * (i + 1) * (1 + j + chance.random())
            if who == "jemalloc":
                cost = 4 * (i + 1)
            elif who == "oct-tagged":
                cost = 2 * (i + 1)
            yield "heap", workload, who, "ns", *around(cost)
            yield "heap", workload, who, "instructions", *around(4 * cost)
            for share, times in (("50", 0.9), ("99", 4), ("99.99", 90)):
                yield ("heap", workload, who, f"p{share}_ns",
                       *around(cost * times))
            yield "heap", workload, who, "peak_ratio", *around(1.05 + j / 20)


def frames_rows():
    """The buddy is not measured everywhere, nor is every workload."""
    for i, workload in enumerate(FRAMES):
        for j, size in enumerate(SIZES[:2] if i % 3 else SIZES):
            for who, times in (("oct-bitmap", 1.1), ("oct-buddy", 3)):
                if who == "oct-buddy" and j > 1:
                    continue
                yield "frames", f"{workload}@{size}", who, "ns", *around(
                    (2 + i) * times ** (j + 1))
    for size in SIZES:
        for what in (("fragmentation", "percent"),
                     ("metadata", "bytes_per_MiB")):
            yield ("frames", f"{what[0]}@{size}", "oct-bitmap", what[1],
                   *around(40))


def trace_rows():
    for trace in ("lua", "sqlite"):
        for i, who in enumerate(HEAPS):
            yield "trace", trace, who, "ns", *around(20 + i)
            yield "trace", trace, who, "peak_ratio", *around(1.1 + i / 10)


def fragmentation_rows():
    for trace in ("lua", "sqlite"):
        for i, who in enumerate(HEAPS):
            for step in range(0, 50000, 100):
                live = 1000000 + 30 * min(step, 60000 - step)
                yield trace, who, step, live, int(live * (1.05 + i / 15))


def map_rows(chance):
    owners = ("free", "heap", "vmalloc", "page tables", "kernel image")
    for machine in MACHINES:
        at, end = (0, 32 << 20) if machine in ("i386", "pae") else (
            0x80000000, 0x82000000)
        while at < end:
            frames = min(chance.randint(1, 90), (end - at) // 4096)
            yield machine, chance.choice(owners), hex(at), frames
            at += frames * 4096


def compare_rows():
    for i, name in enumerate(("frame_alloc", "kmalloc_64", "page_map_one")):
        for j, machine in enumerate(MACHINES):
            yield "bench", name, "usual", machine, 100 + 50 * i * j
    yield "result", "pages_errors", "usual", "i386", 12345


def write_tables(folder):
    chance = random.Random(7)
    write(folder, "bench.tsv", BENCH, [*heap_rows(chance), *frames_rows()])
    write(folder, "replay.tsv", BENCH, trace_rows())
    write(folder, "fragmentation.tsv",
          "trace contender step live taken".split(), fragmentation_rows())
    write(folder, "maps.tsv", "machine owner address frames".split(),
          map_rows(chance))
    write(folder, "compare.tsv", "kind name choice machine value".split(),
          compare_rows())


# --- the browser ---

def browse(browser, page, *options):
    """Runs the browser on a file; returns what it prints."""
    with tempfile.TemporaryDirectory(prefix="oct-browser-") as profile:
        run = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu",
             f"--user-data-dir={profile}", "--virtual-time-budget=2000",
             "--host-resolver-rules=MAP * ~NOTFOUND", *options,
             f"file://{page}"],
            capture_output=True, timeout=60, check=False)
    return run.stdout.decode("utf-8", "replace")


def measure(browser, page, *options):
    """What MEASURE finds in a copy of the page."""
    with open(page, encoding="utf-8") as file:
        text = file.read()
    copy = page.replace(".html", "-measured.html")
    with open(copy, "w", encoding="utf-8") as file:
        file.write(text.replace("<head>", "<head>" + WATCH)
                   .replace("</body>", MEASURE + "</body>"))
    dom = browse(browser, copy, "--dump-dom", *options)
    match = re.search(r'<pre id="measured">(.*?)</pre>', dom, re.S)
    return json.loads(html.unescape(match[1])) if match else None


def check_charts(tap, name, found):
    charts = {c["id"]: c for c in found["charts"]}
    tap.ok([*charts] == [f"chart-{c}" for c in CHARTS],
           f"{name}: every chart is there", [*charts])
    small = [c["id"] for c in charts.values()
             if c["width"] < 100 or c["height"] < 30]
    tap.ok(not small, f"{name}: every chart has a size", small)
    mute = [i for i, c in charts.items() if not c["title"] or not c["sentence"]]
    tap.ok(not mute, f"{name}: each says what it is and what to see", mute)
    tap.ok(not found["strays"], f"{name}: ids are unique and links lead there",
           found["strays"])
    tap.ok(not found["faults"] and not found["fetched"],
           f"{name}: no errors, and nothing is fetched",
           found["faults"] + found["fetched"])
    return charts


def check_scheme(tap, browser, page, scheme):
    dark = scheme == "dark"
    setting = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    found = measure(browser, page, setting, "--window-size=1100,900")
    tap.ok(found and found["dark"] == dark, f"{scheme}: the page opens so",
           "nothing was measured" if not found else found["dark"])
    if not found:
        return None
    charts = check_charts(tap, scheme, found)
    wordless = [i for i, c in charts.items()
                if c["missing"] or not c["marks"]
                or c["texts"] < 4 and i != "chart-compare"]
    tap.ok(not wordless, f"{scheme}: every chart is drawn, with text", wordless)
    pale = [mark for c in charts.values() for mark in c["pale"]]
    tap.ok(not pale, f"{scheme}: bars and lines have a contrast of 3 or more",
           "\n".join(pale[:9]))
    outside = {i: c["outside"] for i, c in charts.items() if c["outside"]}
    tap.ok(not outside, f"{scheme}: no text leaves its picture", outside)
    tap.ok(min(found["contrasts"]) >= 4.5 and len(found["contrasts"]) > 300,
           f"{scheme}: all text has a contrast of 4.5 or more",
           f"{min(found['contrasts']):.2f} of {len(found['contrasts'])}")
    shot = page.replace(".html", f"-{scheme}.png")
    browse(browser, page, setting, "--window-size=1100,6000",
           f"--screenshot={shot}")
    tap.ok(os.path.exists(shot) and os.path.getsize(shot) > 20000,
           f"{scheme}: it can be photographed")
    return charts


def check_sentences(tap, charts):
    said = charts["chart-heap-ns"]["sentence"]
    tap.ok("oct-tagged: not behind the best peer in 10 of 10" in said and
           "0.50 of that peer's" in said, "the race is told as it went", said)
    said = charts["chart-frames-ns"]["sentence"]
    tap.ok("oct-bitmap grows most in pair, 1.3-fold from 64 MiB to 256 GiB"
           in said and "3.0-fold from 64 MiB to 1 GiB" in said,
           "growth with RAM is told as it is", said)
    said = charts["chart-compare"]["sentence"]
    tap.ok("500 on sv48" in said, "the compare table is told", said)


# --- the report ---

def draw(data, page):
    return subprocess.run([f"{TOP}/lab/report/report", "--data", data, "--out",
                           page], capture_output=True, text=True, check=False)


def check_nothing_measured(tap, browser, folder):
    """With no tables at all, the report says so for each chart."""
    empty, page = os.path.join(folder, "empty"), os.path.join(folder, "no.html")
    os.mkdir(empty)
    run = draw(empty, page)
    tap.ok(run.returncode == 0, "a report of nothing", run.stderr)
    found = measure(browser, page)
    charts = check_charts(tap, "nothing measured", found)
    tap.ok(all(c["missing"] and "Not drawn" in c["sentence"]
               for c in charts.values()),
           "each chart says that it is not drawn")


def main():
    tap = Tap()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not browser:
        print("1..0 # SKIP no chromium: Debian's chromium-headless-shell")
        return
    with tempfile.TemporaryDirectory(prefix="oct-report-") as folder:
        write_tables(folder)
        page = os.path.join(folder, "report.html")
        run = draw(folder, page)
        tap.ok(run.returncode == 0 and not run.stderr, "a report is drawn",
               run.stdout + run.stderr)
        if run.returncode != 0:
            tap.done()
        with open(page, encoding="utf-8") as file:
            text = file.read()
        outside = re.sub(r'xmlns(:xlink)?="[^"]*"', "", text)
        tap.ok(not re.search(r"https?:|=\s*[\"']?//|@import", outside),
               "no address of any network is in the file")
        light = check_scheme(tap, browser, page, "light")
        check_scheme(tap, browser, page, "dark")
        if light:
            check_sentences(tap, light)
        narrow = measure(browser, page, "--window-size=500,900")
        tap.ok(narrow and narrow["width"] <= narrow["window"],
               "a narrow window is wide enough", narrow and narrow["width"])
        check_nothing_measured(tap, browser, folder)
        if keep := os.environ.get("KEEP_REPORT"):
            shutil.copytree(folder, keep, dirs_exist_ok=True)
    tap.done()


main()
