#!/bin/sh
# Each constant of each codec changed: a test must notice.
exec "${0%/*}/../../tools/mutants"
