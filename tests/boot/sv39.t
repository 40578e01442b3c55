#!/bin/sh
# The in-kernel tests on sv39: see "machine".
exec "${0%/*}/machine" sv39
