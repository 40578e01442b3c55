#!/bin/sh
# The in-kernel tests on sv32: see "machine".
exec "${0%/*}/machine" sv32
