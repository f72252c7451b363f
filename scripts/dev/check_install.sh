#!/bin/sh
# check_install: installs into an empty folder, uses what lies there, removes it again.
# Usage: check_install.sh CONFIG PRODUCTS; ends with "N passed, N failed, N skipped".
# SPDX-License-Identifier: MIT
set -u

config=$1
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
prefix=/opt/tidemill
root=$stage$prefix
passed=0 failed=0

unset MAKEFLAGS MFLAGS MAKELEVEL
make_target() {
    make --no-print-directory "$1" config="$config" PREFIX=$prefix DESTDIR="$stage"
}

# Asks the installed tidemill.pc as if the stage were the root of the disk.
flags() {
    PKG_CONFIG_PATH="$root/lib/pkgconfig" \
        pkg-config --define-variable=prefix="$root" "$@" tidemill
}

files_are_there() {
    make_target install || return 1
    for file in bin/tidemill lib/lua/5.1/tidemill.so lib/libtidemill.so lib/libtidemill.a \
        include/tidemill.h lib/pkgconfig/tidemill.pc share/doc/tidemill/LICENSE; do
        [ -e "$root/$file" ] || { echo "no $file"; return 1; }
    done
}

binary_runs_from_any_folder() {
    (cd / && "$root/bin/tidemill" -e 'print(6 * 7)') | grep -x 42
}

stock_luajit_loads_the_module() {
    (cd / && LUA_CPATH="$root/lib/lua/5.1/?.so" "${LUAJIT:-luajit}" -e 'require "tidemill"')
}

write_host() {
    cat >"$stage/host.c" <<'END'
#include <stdio.h>
#include <tidemill.h>
int main(void)
{
    tidemill_config config = {.size = sizeof config, .cache = "off"};
    tidemill *engine;
    tidemill_status status = tidemill_open(&config, &engine);
    if (status == TIDEMILL_OK)
        status = tidemill_run_string(
            engine, "print(tm.map(function(x) return tm.kernels.sum(x) end, {{20, 22}})[1])", "host",
            0, NULL);
    if (status != TIDEMILL_OK) fprintf(stderr, "%s\n", tidemill_error(engine));
    tidemill_close(engine);
    return status;
}
END
}

program_links_the_shared_library() {
    write_host
    ${CC:-cc} -o "$stage/host" "$stage/host.c" $(flags --cflags --libs) || return 1
    LD_LIBRARY_PATH="$root/lib" "$stage/host" | grep -x 42
}

program_links_the_archive() {
    write_host
    rm -f "$root/lib/libtidemill.so"
    ${CC:-cc} -o "$stage/host" "$stage/host.c" $(flags --static --cflags --libs) || return 1
    "$stage/host" | grep -x 42
}

uninstall_leaves_nothing() {
    make_target uninstall || return 1
    left=$(find "$stage$prefix" -type f -o -type l)
    [ -z "$left" ] || { echo "left behind: $left"; return 1; }
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

# Sanitizers need their run-time library in the process first; they test the same files anyway.
case $config in
    asan | tsan)
        echo "skipped the installation: built for a sanitizer"
        echo "0 passed, 0 failed, 1 skipped"
        exit 0
        ;;
esac

run files_are_there
run binary_runs_from_any_folder
run stock_luajit_loads_the_module
run program_links_the_shared_library
run program_links_the_archive
run uninstall_leaves_nothing
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
