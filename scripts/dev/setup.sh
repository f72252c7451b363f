#!/bin/sh
# setup: checks that what a part of the work needs is there, and installs Debian packages if not.
# Usage: setup.sh PART ..: build, test, lint, deb, peers (of the benchmarks), chroot, aarch64.
# Asks nothing; says what is missing and what it runs.
# SPDX-License-Identifier: MIT
set -eu

CC=${CC:-cc}
LUAJIT=${LUAJIT:-luajit}
cxx=${CXX:-g++}
cxx=${cxx##* } # behind what it may be started by, such as ccache
wanted=" $* "

# Package names are the same in Debian 12, Debian 13 and Ubuntu 24.04.
headers="luajit.h            libluajit-5.1-dev
         sqlite3.h           libsqlite3-dev
         readline/readline.h libreadline-dev
         libdeflate.h        libdeflate-dev
         zstd.h              libzstd-dev
         xxhash.h            libxxhash-dev
         uv.h                libuv1-dev"

# ---- What is missing -----------------------------------------------------------------------

missing=
packages=

miss() { # miss "words" package
    missing="$missing  $1
"
    packages="$packages $2"
}

have() { command -v "$1" >/dev/null 2>&1; }

# __has_include asks for every header in one run of the preprocessor.  Without a compiler nobody
# can tell which are there: then all are named, and apt skips those that are.
missing_headers() {
    if ! have "${CC%% *}"; then
        echo "$headers"
        return
    fi
    flags=$(pkg-config --cflags luajit 2>/dev/null) || flags=
    echo "$headers" | while read -r header package; do
        printf '#if !__has_include(<%s>)\nmissing %s %s\n#endif\n' "$header" "$header" "$package"
    done | $CC $flags -E -P -x c - | sed -n 's/^missing //p'
}

check_compiler() {
    have pkg-config || miss "pkg-config (program)" pkg-config
    if ! have "${CC%% *}"; then
        case $CC in
            *clang*) miss "$CC (a C compiler)" "clang libc6-dev" ;;
            *) miss "$CC (a C compiler)" "gcc libc6-dev" ;;
        esac
    elif ! echo '#include <stdio.h>' | $CC -E -x c - >/dev/null 2>&1; then
        miss "stdio.h (header of the C library)" libc6-dev
    fi
}

check_headers() {
    list=$(missing_headers)
    [ -n "$list" ] || return 0
    while read -r header package; do
        case $header in
            luajit.h) miss "luajit.h (header of LuaJIT 2.1 with GC64 and string.buffer)" "$package" ;;
            *) miss "$header (header)" "$package" ;;
        esac
    done <<END
$list
END
}

check_luajit() {
    have "$LUAJIT" || miss "$LUAJIT (program, LuaJIT 2.1 with GC64 and string.buffer)" luajit
}

# OpenBLAS is opened when first used, so that it is needed on no machine that cannot install it.
check_openblas() {
    have apt-get || return 0
    PATH=$PATH:/sbin:/usr/sbin ldconfig -p | grep -q 'libopenblas\.so\.0' ||
        miss "libopenblas.so.0 (library, serial build)" libopenblas0-serial
}

check_busted() {
    find_busted='os.exit(package.searchpath("busted.runner", package.path) and 0 or 1)'
    have "$LUAJIT" && "$LUAJIT" -e "$find_busted" ||
        miss "busted (Lua test framework, on LuaJIT's package.path)" lua-busted
}

# Sessions are typed into a terminal of tmux, which tells what its screen shows.
check_tmux() {
    have tmux || miss "tmux (program)" tmux
}

# Programs that embed the engine are in C++ and Python, too.  Where these cannot be had their tests say
# that they are skipped.
check_languages() {
    have "$cxx" || miss "$cxx (a C++ compiler)" g++
    "${PYTHON:-python3}" -c 'import numpy' 2>/dev/null ||
        /usr/bin/python3 -c 'import numpy' 2>/dev/null ||
        miss "numpy (for Python)" "python3 python3-numpy"
}

check_linters() {
    have clang-format || miss "clang-format (program)" clang-format
    have luacheck || miss "luacheck (program)" lua-check
}

check_peers() {
    have "$cxx" || miss "$cxx (a C++ compiler)" g++
    have pkg-config || miss "pkg-config (program)" pkg-config
    pkg-config --exists tbb 2>/dev/null || miss "tbb (oneTBB, with its pkg-config file)" libtbb-dev
    [ -n "${TIDEMILL_BENCH_PYTHON:-}" ] || python3 -c 'import ensurepip, venv' 2>/dev/null ||
        miss "python3 with venv (Python environments)" "python3 python3-venv"
}

check_packaging() {
    have dh || miss "dh (debhelper)" debhelper
    have dpkg-buildpackage || miss "dpkg-buildpackage (program)" dpkg-dev
}

check_chroot() {
    PATH=$PATH:/sbin:/usr/sbin have debootstrap || miss "debootstrap (program)" debootstrap
}

check_aarch64() {
    have aarch64-linux-gnu-gcc ||
        miss "aarch64-linux-gnu-gcc (a cross compiler)" "gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
    have qemu-aarch64 || miss "qemu-aarch64 (an emulator)" qemu-user
}

check() {
    missing= packages=
    case $wanted in *" build "*) check_compiler; check_headers; check_luajit; check_openblas ;; esac
    case $wanted in *" test "*) check_busted; check_tmux ;; esac
    case $wanted in *" lint "*) check_linters ;; esac
    case $wanted in *" deb "*) check_packaging ;; esac
    case $wanted in *" chroot "*) check_chroot ;; esac
    case $wanted in *" aarch64 "*) check_aarch64 ;; esac
    case $wanted in *" peers "*) check_peers ;; esac
}

# ---- Installing ----------------------------------------------------------------------------

fail() { echo "setup: $*" >&2; exit 1; }

run() {
    echo "+ $*"
    "$@"
}

install_packages() {
    install="apt-get install -y --no-install-recommends$packages"
    by_hand="apt-get update && $install"
    echo "setup: missing on this machine:"
    printf '%s' "$missing"
    have apt-get ||
        fail "no apt-get here; install the headers and programs above, then run make again"

    as_root="env DEBIAN_FRONTEND=noninteractive"
    if [ "$(id -u)" != 0 ]; then
        have sudo || fail "run this as root, then make again:
  $by_hand"
        as_root="sudo $as_root"
    fi
    echo "setup: installing packages:$packages"
    # Fresh images carry no package lists, and old lists name files that are gone.
    if ! apt-get -qq -s install $packages >/dev/null 2>&1; then
        run $as_root apt-get -q update || fail "that failed; as root: $by_hand"
        run $as_root $install || fail "that failed; as root: $by_hand"
    elif ! run $as_root $install; then
        echo "setup: trying again with new package lists"
        run $as_root apt-get -q update && run $as_root $install ||
            fail "that failed; as root: $by_hand"
    fi
}

# Both are compiled into LuaJIT: no further package adds them to one that lacks them.
refuse_old_luajit() {
    "$LUAJIT" - <<'END'
local lacking = {}
if not (jit and pcall(require, "string.buffer")) then lacking[1] = "string.buffer" end
if not (jit and require("ffi").abi("gc64")) then lacking[#lacking + 1] = "GC64" end
if #lacking > 0 then
  io.stderr:write("setup: ", jit and jit.version or _VERSION, " lacks ", table.concat(lacking, " and "),
    "; Tidemill needs LuaJIT 2.1 with both: take the luajit package of Debian 12, Ubuntu 24.04 or",
    " later, or build LuaJIT 2.1 (2022 or later, XCFLAGS=-DLUAJIT_ENABLE_GC64) and name it",
    " with make LUAJIT=...\n")
  os.exit(1)
end
END
}

if have "$LUAJIT"; then refuse_old_luajit; fi
check
if [ -n "$missing" ]; then
    install_packages
    check
    [ -z "$missing" ] || fail "still missing after the installation:
$missing"
    refuse_old_luajit
fi

case $wanted in *" test "*)
    missing= packages=
    check_languages
    [ -z "$missing" ] || (install_packages) || echo "setup: going on without" $packages
esac
