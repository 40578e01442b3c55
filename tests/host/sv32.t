#!/bin/sh
# The memory manager and the library with sv32 page tables, on the host.
exec "${0%/*}/../../build/host/sv32/tests"
