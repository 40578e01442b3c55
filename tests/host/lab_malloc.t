#!/bin/sh
# liboctmalloc.so: what any program may expect of malloc, with every choice of
# frame manager and heap; and its environment variables.
cd "${0%/*}/../.." || exit 1
so=$PWD/build/host/liboctmalloc.so
n=0

# result NAME OUTPUT: a line of TAP for the command before; its output if not ok
result()
{
    if [ $? -eq 0 ]; then
        n=$((n + 1)) && echo "ok $n - $1"
    else
        n=$((n + 1)) && echo "not ok $n - $1"
        printf '%s\n' "$2" | grep -v '^ok' | head -n 40 | sed 's/^/# /'
    fi
}

for pmm in bitmap buddy; do
    for heap in tagged slab; do
        said=$(OCT_PMM=$pmm OCT_HEAP=$heap LD_PRELOAD=$so \
            timeout 60 build/host/lab/malloc_test 2>&1)
        result "$pmm $heap" "$said"
    done
done

# shellcheck disable=SC3045 # every sh that there is can limit memory
said=$(ulimit -v 300000 &&
    LD_PRELOAD=$so timeout 60 build/host/lab/malloc_test 2>&1)
result "in a small address space" "$said"

said=$(build/host/lab/malloc_test 2>&1)
[ $? -eq 1 ] && printf '%s\n' "$said" | grep -q '^not ok 1 '
result "the test notices that nothing is preloaded" "$said"

said=$(OCT_STATS=1 LD_PRELOAD=$so sort /dev/null 2>&1)
printf '%s\n' "$said" |
    grep -qE '^oct: sort: live [0-9]+ bytes in [0-9]+ objects'
result "OCT_STATS=1, in a program that closes standard error" "$said"

said=$(LD_PRELOAD=$so sort /dev/null 2>&1)
[ -z "$said" ]
result "silent without it" "$said"

for wrong in OCT_HEAP OCT_PMM; do
    said=$(env $wrong=wrong LD_PRELOAD="$so" sort /dev/null 2>&1)
    [ $? -eq 127 ] &&
        printf '%s\n' "$said" | grep -q "^oct: $wrong is .* not wrong$"
    result "a word that $wrong does not know" "$said"
done
echo "1..$n"
