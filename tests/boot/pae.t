#!/bin/sh
# The in-kernel tests on pae: see "machine".
exec "${0%/*}/machine" pae
