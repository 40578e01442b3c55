#!/bin/sh
# One random stream of operations through all five formats at once.
exec "${0%/*}/../../build/host/formats"
