#!/bin/sh
# The library liboct.a: its example, and the tests of tests/lab/, some of them
# again with sanitizers.
cd "${0%/*}/../.." || exit 1
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

said=$(build/host/lab/example 2>&1)
result "the example ends well" "$said"
[ "$(printf '%s\n' "$said" | grep -v '^oct: ')" = "the point is (3, 4)
it was free already" ]
result "the example prints what it should" "$said"
printf '%s\n' "$said" | grep -q '^oct: .*refused'
result "the example's second free is reported" "$said"

# shellcheck disable=SC2016 # backquotes are meant
quoted=$(sed -n '/^```c$/,/^```$/p' docs/library.md | grep -v '^```')
[ "$quoted" = "$(cat lab/example.c)" ]
result "docs/library.md quotes lab/example.c as it is" "$quoted"

# Whoever links the library sees what lab/oct.h declares, and no more.
wanted=$(sed -E 's|/\*.*||' lab/oct.h | grep -oE '\<oct_[a-z_]+\(' | tr -d '(' |
    sort -u)
said=$(nm --defined-only --extern-only build/host/liboct.a |
    awk 'NF == 3 { print $3 }' | sort | diff - /dev/fd/3 3<<END
$wanted
END
)
result "the library defines what lab/oct.h declares" "$said"

for test in lab/instances lab/memory lab/threads lab/fork lab-asan/instances \
    lab-asan/memory "lab-tsan/threads 1500"; do
    # shellcheck disable=SC2086 # two words
    said=$(timeout 60 build/host/$test 2>&1)
    result "$test" "$said"
done
echo "1..$n"
