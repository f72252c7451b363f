#!/bin/sh
# check_aarch64: builds the kernels and their tests for aarch64 and runs them in an emulator, with the
# neon bodies and with the plain ones.  The kernels know nothing of the host: a cross compiler is enough.
# Usage: check_aarch64.sh FOLDER (for what is built); ends with "N passed, N failed, N skipped".
# SPDX-License-Identifier: MIT
set -u

folder=$1
sh scripts/dev/setup.sh aarch64 || {
    echo "skipped check-aarch64: no cross compiler or no emulator"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}
mkdir -p "$folder"
export folder flags="-std=gnu11 -O2 -ffp-contract=off -Wall -Wextra -Werror -I. -static"

# Tests that include nothing but kernels and what tests share.
tests=$(grep -LE '^#include "(\.\.|base|bind|cache|data|host|lane|sched|tests|tidemill|watch)' tests/c/test_*.c)

ls kernels/*.c kernels/*/*.c | xargs -P "$(nproc)" -I{} sh -c '
    aarch64-linux-gnu-gcc $flags -c -o "$folder/$(echo {} | tr / -).o" {}' || exit 1
echo "$tests" | xargs -P "$(nproc)" -I{} sh -c '
    aarch64-linux-gnu-gcc $flags -o "$folder/$(basename {} .c)" {} "$folder"/*.o -lm -lpthread' || exit 1

for isa in neon plain; do
    for test in $tests; do
        name=$(basename "$test" .c)
        TIDEMILL_ISA=$isa qemu-aarch64 "$folder/$name" >"$folder/said" 2>&1 || cat "$folder/said"
        said=$(tail -1 "$folder/said")
        case $said in
        *' passed, '*) ;;
        *) said="0 passed, 1 failed, 0 skipped" ;;
        esac
        printf '%-6s %-26s %s\n' $isa "$name" "$said"
    done
done | tee "$folder/all"
awk '{ passed += $3; failed += $5; skipped += $7 }
    END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped; exit failed > 0 }' "$folder/all"
