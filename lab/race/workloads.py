"""What is raced: one Race for each run of race-heap or race-frames."""

from typing import NamedTuple

from contenders import TOP

COUNTED = 5000  # operations, at most, when instructions are counted
SIZES = {"64MiB": 64, "1GiB": 1024, "16GiB": 16 << 10, "256GiB": 256 << 10}
# The buddy's memory is real, and callgrind is slow.
BUDDY_MOST = COUNTED_MOST = 1024


class Race(NamedTuple):
    suite: str
    row: str            # as it is called in the results
    workload: str       # as the program knows it
    operations: int
    counted: bool       # are its instructions of interest?
    mib: int = 0

    def admits(self, contender):
        return contender.suite == self.suite and (
            contender.name != "oct-buddy" or self.mib <= BUDDY_MOST)

    def rounds(self, wanted):
        """What is not a time is the same each time, and to fill 256 GiB takes
        as long as a few rounds of anything else."""
        if self.workload.startswith(("fragmentation", "metadata")):
            return 1
        return (wanted + 4) // 5 if self.mib > SIZES["16GiB"] else wanted

    def command(self, contender, operations):
        if self.suite == "heap":
            return [f"{TOP}/build/host/race-heap", self.workload,
                    str(operations)]
        return [f"{TOP}/build/host/race-frames",
                contender.name.removeprefix("oct-"), str(self.mib),
                self.workload, str(operations)]


# Operations of the full race; are there instructions to count?
HEAP = {
    "pair_64": (4_000_000, True),
    "pair_4096": (4_000_000, True),
    "batch_lifo_64": (4_000_000, True),
    "batch_mixed": (2_000_000, True),
    "churn@1k": (2_000_000, True),
    "churn@10k": (2_000_000, True),
    "churn@100k": (1_000_000, True),
    "larson": (1_000_000, False),
    "prodcons": (1_000_000, False),
    "realloc": (1_000_000, True),
    "latency@10k": (200_000, False),
    "footprint@100k": (1_000_000, False),
}
# These measure something else in the workload of another row.
SAME_AS = {"latency@10k": "churn@10k", "footprint@100k": "churn@100k"}

ALL = tuple(SIZES)
# The same with the sizes of RAM. Random frames of 256 GiB take too long.
FRAMES = {
    "pair": (ALL[:3], 4_000_000, True),
    "fill": (ALL, 1, True),
    "churn90": (ALL[:3], 2_000_000, True),
    "churn90_burst": (ALL[:3], 2_000_000, True),
    "churn90_2threads": (ALL[:3], 2_000_000, False),
    "one_left": (ALL, 4_000_000, True),
    "one_left_cold": (ALL, 2000, True),
    "run8": (ALL[1:3], 1_000_000, True),
    "run64": (ALL[1:3], 1_000_000, True),
    "run512": (ALL[1:3], 500_000, True),
    "impossible512": (ALL, 2_000_000, True),
    "impossible512_anywhere": (ALL, 2_000_000, True),
    "fragmentation": (ALL[:2], 1, False),
    "metadata_map": (ALL, 1, False),
    "metadata_owners": (ALL, 1, False),
}

# Left to the full race: seconds go by before they begin.
SLOW = {"fill": "256GiB", "impossible512": "256GiB",
        "impossible512_anywhere": "256GiB", "pair": "16GiB",
        "churn90_2threads": "16GiB"}


def races(quick):
    """All of them, in the order of the results; quick ones are all but the
    slowest, have fewer operations, and instructions are counted with the least RAM only."""
    scale = 10 if quick else 1
    heap = [Race("heap", SAME_AS.get(name, name), name,
                 operations // scale, counted)
            for name, (operations, counted) in HEAP.items()]
    most = 0 if quick else COUNTED_MOST
    frames = [Race("frames", f"{name}@{size}", name, operations // scale or 1,
                   counted and (size == sizes[0] or SIZES[size] <= most),
                   SIZES[size])
              for name, (sizes, operations, counted) in FRAMES.items()
              for size in sizes
              if not (quick and SLOW.get(name) == size)]
    return heap + frames
