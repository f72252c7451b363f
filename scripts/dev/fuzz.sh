#!/bin/sh
# fuzz: what `make fuzz` runs.  Usage: fuzz.sh FLAGS SOURCES LIBRARIES ROUNDS SEED
# With a clang that has libFuzzer each target runs for a minute and adds what it finds to a copy of
# the corpus in build/fuzz; without, the corpus is changed at random ROUNDS times.
# SPDX-License-Identifier: MIT
set -eu
flags=$1 sources=$2 libraries=$3 rounds=$4 seed=$5
mkdir -p build/fuzz
cp -r tests/fuzz/corpus build/fuzz/
if command -v clang >/dev/null &&
    echo 'int LLVMFuzzerTestOneInput(const char *b, long n) { return b && n < 0; }' |
    clang -x c -fsanitize=fuzzer -o build/fuzz/probe - 2>/dev/null; then
    for target in value file export npy fuse arrow message news; do
        # shellcheck disable=SC2086
        clang $flags -fsanitize=fuzzer -DFUZZ_TARGET="fuzz_$target" -o "build/fuzz/$target" \
            $sources build/asan/inside.a $libraries
        "build/fuzz/$target" -seed="$seed" -max_total_time=60 -print_final_stats=0 \
            "build/fuzz/corpus/$target"
    done
else
    # shellcheck disable=SC2086
    ${CC:-cc} $flags -o build/fuzz/loop $sources build/asan/inside.a $libraries
    build/fuzz/loop build/fuzz/corpus "$rounds" "$seed"
fi
