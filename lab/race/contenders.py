"""Who races: allocators that are preloaded under a program, and oct's own
frame managers."""

import functools
import os
import re
import subprocess
from typing import NamedTuple

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
OCT_LIBRARY = f"{TOP}/build/host/liboctmalloc.so"


class Contender(NamedTuple):
    suite: str
    name: str
    library: str = ""   # a file, or a name that the dynamic linker knows
    package: str = ""   # of Debian, that has it
    settings: tuple = ()  # (variable, value) pairs

    def is_oct(self):
        """Frame managers are all oct's; there the buddy is the one to beat."""
        return self.name.startswith("oct-") and self.name != "oct-buddy"

    def preloaded(self):
        """Its library's file; None: it has none, or that is missing."""
        if "/" in self.library:
            return self.library if os.path.exists(self.library) else None
        return linker_cache().get(self.library)

    def lacks(self):
        """Why it cannot race, or None."""
        if not self.library or self.preloaded():
            return None
        hint = f" (Debian: {self.package})" if self.package else ""
        return f"there is no {self.library}{hint}"

    def environment(self):
        """Ours, without what would make allocators behave otherwise."""
        env = {name: value for name, value in os.environ.items()
               if not re.match(r"OCT_|LD_PRELOAD$|MALLOC|GLIBC_TUN|MIMALLOC|"
                               r"TCMALLOC", name)}
        if self.library:
            env["LD_PRELOAD"] = self.preloaded()
        return env | dict(self.settings)


@functools.cache
def linker_cache():
    """Library names and files, as the dynamic linker would find them."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    try:
        said = subprocess.run(["ldconfig", "-p"], check=True, text=True,
                              capture_output=True,
                              env=os.environ | {"PATH": path})
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"race: cannot ask ldconfig for libraries: {error}") \
            from error
    lines = re.findall(r"^\s+(\S+) \(.*\) => (\S+)$", said.stdout, re.M)
    return dict(reversed(lines))  # of several, the first counts


def oct_heap(heap, manager):
    name = f"oct-{heap}" if manager == "bitmap" else f"oct-{heap}-{manager}"
    return Contender("heap", name, OCT_LIBRARY, "",
                     (("OCT_HEAP", heap), ("OCT_PMM", manager)))


CONTENDERS = [
    Contender("heap", "glibc"),
    Contender("heap", "jemalloc", "libjemalloc.so.2", "libjemalloc2"),
    Contender("heap", "mimalloc", "libmimalloc.so.2", "libmimalloc2.0"),
    Contender("heap", "tcmalloc", "libtcmalloc_minimal.so.4",
              "libtcmalloc-minimal4"),
    oct_heap("tagged", "bitmap"), oct_heap("slab", "bitmap"),
    oct_heap("tagged", "buddy"), oct_heap("slab", "buddy"),
    Contender("frames", "oct-bitmap"), Contender("frames", "oct-buddy"),
]
