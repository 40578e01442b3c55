#!/bin/sh
# The memory manager and the library with sv39 page tables, on the host.
exec "${0%/*}/../../build/host/sv39/tests"
