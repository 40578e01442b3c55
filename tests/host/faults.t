#!/bin/sh
# Faults put into the allocators: a test must notice each.
exec "${0%/*}/../../tools/faults"
