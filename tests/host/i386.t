#!/bin/sh
# The memory manager and the library with i386 page tables, on the host.
exec "${0%/*}/../../build/host/i386/tests"
