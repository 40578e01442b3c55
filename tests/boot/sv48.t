#!/bin/sh
# The in-kernel tests on sv48: see "machine".
exec "${0%/*}/machine" sv48
