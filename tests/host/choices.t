#!/bin/sh
# The same tests with every choice of frame manager and heap, in every format.
cd "${0%/*}/../.." || exit 1
n=0
for format in i386 pae sv32 sv39 sv48; do
    for choice in bitmap-slab buddy-tagged buddy-slab; do
        n=$((n + 1))
        if said=$("build/host/$format/tests-$choice"); then
            echo "ok $n - $format $choice"
        else
            echo "not ok $n - $format $choice"
        fi
        printf '%s\n' "$said" | grep -A 1 '^not ok' | sed 's/^/# /'
    done
done
echo "1..$n"
