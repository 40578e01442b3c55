#!/bin/sh
# The memory manager and the library with pae page tables, on the host.
exec "${0%/*}/../../build/host/pae/tests"
