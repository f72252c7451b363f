#!/bin/sh
# check_amalgamation: compiles the engine as one file, by the command that its head shows, and runs
# programs with nothing of Tidemill but that file and its header.
# Usage: check_amalgamation.sh CONFIG PRODUCTS; ends with "N passed, N failed, N skipped".
# SPDX-License-Identifier: MIT
set -u

config=$1
here=$(pwd)
products=$(cd "$2" && pwd)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
passed=0 failed=0

unset MAKEFLAGS MFLAGS MAKELEVEL
unset TIDEMILL_TEST_PRODUCTS # what tests know more than other programs

files_are_written() {
    make --no-print-directory amalgamation config="$config" || return 1
    cp build/amalgamation/tidemill.c build/amalgamation/tidemill.h "$stage"
}

# The command of the head, with other words for "program.c tidemill.c -o program".
command_with() {
    sed -n '/^ \*     cc /,/^ \*$/s/^ \*     *//p' "$stage/tidemill.c" | tr -d '\\\n' |
        sed "s|^cc|${CC:-cc}|; s|program.c tidemill.c -o program|$1|"
}

# -O1 spares half of the time; a program does as the head says.
it_compiles_without_a_warning() {
    (cd "$stage" && sh -c "$(command_with "-O1 -Wall -Wextra -Werror -c tidemill.c")") && [ -s "$stage/tidemill.o" ]
}

# What another object, or a program that loads a library of it, can see.
only_its_prefix_is_seen() {
    strangers=$(readelf --symbols --wide "$stage/tidemill.o" |
        awk '$5 != "LOCAL" && $6 == "DEFAULT" && $7 != "UND" && $8 !~ /^(tidemill_|luaopen_tidemill$)/ { print $8 }')
    [ -z "$strangers" ] || { echo "seen from outside: $strangers"; return 1; }
    readelf --symbols --wide "$stage/tidemill.o" | grep -q 'GLOBAL DEFAULT .* tidemill_open$'
}

build() { # build source.c
    (cd "$stage" && sh -c "$(command_with "-I. $here/$1 tidemill.o -o program")")
}

the_smallest_host_runs() {
    build examples/embed/smallest.c && "$stage/program" | grep -F '"squares":[1,4,9]'
}

# Its script is also in a process of its own: the program tidemill, which the file is not.
a_host_with_a_session_runs() {
    build tests/c/embed_session.c &&
        TIDEMILL_WORKER_PATH=$products/tidemill "$stage/program" | grep ' 0 failed'
}

a_host_with_functions_runs() {
    build tests/c/embed_function.c && "$stage/program" | grep ' 0 failed'
}

run() {
    if "$1" >"$stage/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not ok $1"
        cat "$stage/log"
    fi
}

# The sources are the same for all of them.
if [ "$config" != release ]; then
    echo "skipped the amalgamation: compiled in the release configuration alone"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi

run files_are_written
run it_compiles_without_a_warning
run only_its_prefix_is_seen
run the_smallest_host_runs
run a_host_with_a_session_runs
run a_host_with_functions_runs
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
