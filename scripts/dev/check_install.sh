#!/bin/sh
# check_install: installs into an empty folder, uses what lies there, removes it again.
# Usage: check_install.sh CONFIG PRODUCTS; ends with "N passed, N failed, N skipped".
# SPDX-License-Identifier: MIT
set -u

config=$1
stage=$(mktemp -d)
trap 'rm -rf "$stage" "$stage.there" "$stage.said"' EXIT
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

# The list of what was installed is what is there, whatever the mask of whoever installs.
files_are_there() {
    (umask 077 && make_target install) || return 1
    for file in bin/tidemill lib/lua/5.1/tidemill.so lib/libtidemill.so lib/libtidemill.so.0 \
        lib/libtidemill.a include/tidemill.h lib/pkgconfig/tidemill.pc \
        share/man/man1/tidemill.1 share/man/man3/tidemill.h.3 share/tidemill/meta/kernels.lua \
        share/tidemill/scripts/day_trade.lua share/bash-completion/completions/tidemill \
        share/zsh/site-functions/_tidemill share/fish/vendor_completions.d/tidemill.fish \
        share/doc/tidemill/LICENSE share/doc/tidemill/tasks.md \
        share/doc/tidemill/examples/embed/smallest.c; do
        [ -e "$root/$file" ] || { echo "no $file"; return 1; }
    done
    (cd "$stage" && find ".$prefix" -type f -o -type l) | sed 's/^\.//' | grep -v /tidemill/installed$ |
        sort >"$stage.there"
    sort "$root/share/tidemill/installed" | diff - "$stage.there"
}

everybody_may_read_them() {
    closed=$(find "$root" ! -type l ! -perm -a+r -o -type d ! -perm -a+x)
    [ -z "$closed" ] || { echo "closed: $closed"; return 1; }
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
    rm -f "$root/lib/libtidemill.so" # the linker prefers it
    ${CC:-cc} -o "$stage/host" "$stage/host.c" $(flags --static --cflags --libs) || return 1
    "$stage/host" | grep -x 42
}

has() { command -v "$1" >/dev/null 2>&1; }

# Warnings of both programs, with only the one that is there.
manual_pages_have_no_fault() {
    for page in "$root/share/man/man1/tidemill.1" "$root/share/man/man3/tidemill.h.3"; do
        if has man; then
            faults=$(MANPAGER=cat man --warnings -l "$page" 2>&1 >/dev/null) || return 1
            [ -z "$faults" ] || { echo "$faults"; return 1; }
        fi
        if has mandoc; then mandoc -Tlint "$page" || return 1; fi
    done
    grep -q '^\.TH TIDEMILL 1 ' "$root/share/man/man1/tidemill.1"
}

# Each option, command and exported function has its place there.
manual_pages_are_complete() {
    "$root/bin/tidemill" --help | grep -o '^  --[a-z-]*' | while read -r option; do
        grep -qF "\\fB$(echo "$option" | sed 's/-/\\-/g')" "$root/share/man/man1/tidemill.1" ||
            { echo "tidemill.1: no $option"; exit 1; }
    done || return 1
    grep -o '\btidemill_[a-z_]*(' "$root/include/tidemill.h" | sort -u | while read -r name; do
        grep -qF "$name" "$root/share/man/man3/tidemill.h.3" ||
            { echo "tidemill.h.3: no $name"; exit 1; }
    done
}

stubs_and_scripts_are_lua() {
    for file in "$root"/share/tidemill/meta/*.lua "$root"/share/tidemill/scripts/*.lua; do
        "${LUAJIT:-luajit}" -e "assert(loadfile('$file'))" || return 1
    done
    (cd "$stage" && XDG_CACHE_HOME="$stage/cache" "$root/bin/tidemill" run --quiet \
        "$root/share/tidemill/scripts/day_trade.lua" --symbols 2 --days 300)
}

completions_are_read_by_their_shells() {
    bash -n "$root/share/bash-completion/completions/tidemill" || return 1
    if has zsh; then zsh -n "$root/share/zsh/site-functions/_tidemill" || return 1; fi
    if has fish; then fish -n "$root/share/fish/vendor_completions.d/tidemill.fish"; fi
}

examples_and_strategies_come_with_the_program() (
    cd "$stage" || exit 1
    PATH=$root/bin:$PATH
    tidemill examples 1 --copy && tidemill --cache off 01_sum_of_squares.lua | grep -x 140 || exit 1
    tidemill new mine.lua && tidemill run --cache off mine.lua
)

# What an older release had, and this one has not, goes; what others have put there stays.
an_older_installation_is_replaced() {
    old=share/doc/tidemill/old/page.md
    mkdir -p "$root/${old%/*}" && echo old >"$root/$old" && echo old >"$root/bin/tidemill"
    echo "$prefix/$old" >>"$root/share/tidemill/installed"
    echo mine >"$root/share/doc/tidemill/mine.md"
    make_target install || return 1
    [ ! -e "$root/${old%/*}" ] || { echo "left behind: $old"; return 1; }
    [ -e "$root/share/doc/tidemill/mine.md" ] || { echo "mine.md is gone"; return 1; }
    "$root/bin/tidemill" --version
}

uninstall_leaves_what_it_names() {
    HOME=/home/me XDG_CACHE_HOME='' XDG_CONFIG_HOME=/conf make_target uninstall >"$stage.said" ||
        return 1
    for folder in /home/me/.cache/tidemill /conf/tidemill 'cache clear --all'; do
        grep -qF "$folder" "$stage.said" || { cat "$stage.said"; return 1; }
    done
    left=$(find "$root" -type f -o -type l)
    [ "$left" = "$root/share/doc/tidemill/mine.md" ] || { echo "left: $left"; return 1; }
    rm -r "$root/share/doc/tidemill" && mkdir -p "$root/share/doc"
    left=$(find "$root" -mindepth 2 ! -path '*/share/man*' ! -path '*/share/doc')
    [ -z "$left" ] || { echo "folders left behind: $left"; return 1; }
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
run everybody_may_read_them
run binary_runs_from_any_folder
run stock_luajit_loads_the_module
run program_links_the_shared_library
run program_links_the_archive
run manual_pages_have_no_fault
run manual_pages_are_complete
run stubs_and_scripts_are_lua
run completions_are_read_by_their_shells
run examples_and_strategies_come_with_the_program
run an_older_installation_is_replaced
run uninstall_leaves_what_it_names
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
