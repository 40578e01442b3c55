#!/bin/sh
# The in-kernel tests on i386: see "machine".
exec "${0%/*}/machine" i386
