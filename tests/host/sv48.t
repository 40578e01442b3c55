#!/bin/sh
# The memory manager and the library with sv48 page tables, on the host.
exec "${0%/*}/../../build/host/sv48/tests"
