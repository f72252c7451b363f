#!/bin/sh
# check_packages: installs the Debian packages into a fresh Debian of this machine's release and mirror,
# uses what lies there as a user without rights, and removes them again.
# Usage: check_packages.sh PACKAGES CHROOT; ends with "N passed, N failed, N skipped".  Needs root and a
# mirror; without them it is skipped, and says why.  SPDX-License-Identifier: MIT
set -u

packages=$1 root=$2
PATH=$PATH:/usr/sbin:/sbin
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

skip() {
    echo "skipped check-install: $1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}

# The repository that apt takes this release from: "http://deb.debian.org/debian bookworm".
mirror() {
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
        awk -v codename="$codename" '$2 == codename && $3 == "main" { print $1, $2; exit }'
}

# In mounts of its own, which end with the command.
inside() {
    unshare --mount sh -ec 'root=$1; shift
        mount -t proc proc "$root/proc"
        mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
        exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
            DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy="$http_proxy"} "$@"' sh "$root" "$@"
}

# As somebody who has a home and nothing else.
as_user() { inside setpriv --reuid=1000 --regid=1000 --clear-groups env HOME=/home/somebody "$@"; }

script() { as_user sh -ec "cd; $1"; }

prepare() {
    [ "$(id -u)" = 0 ] || skip "not root"
    command -v apt-get >/dev/null || skip "no apt-get here"
    unshare --mount true 2>"$log" || skip "no mounts of its own: $(cat "$log")"
    set -- $(mirror)
    [ $# = 2 ] || skip "apt knows no repository of this release"
    sh scripts/dev/setup.sh chroot || skip "debootstrap cannot be installed"
    rm -rf --one-file-system "$root"
    mkdir -p "$root"
    root=$(cd "$root" && pwd)
    echo "a fresh $2 from $1 in $root"
    debootstrap --variant=minbase "$2" "$root" "$1" >"$log" 2>&1 ||
        skip "debootstrap failed: $(tail -3 "$log")"
    mkdir -p "$root/packages" "$root/home/somebody"
    cp "$packages"/*.deb "$root/packages"
    rm -f "$root"/packages/*-dbgsym_*
    chown 1000:1000 "$root/home/somebody"
}

install_packages() { inside sh -c 'apt-get install -y --no-install-recommends /packages/*.deb'; }

program_runs() {
    script 'tidemill --version; tidemill -e "print(6 * 7)" | grep -x 42
        tidemill run day_trade --symbols 5 --days 300; ls .cache/tidemill/cache.db
        tidemill doctor; tidemill help tasks | grep -q delayed'
}

tasks_run_in_processes() {
    script "tidemill -e 'print(tm.delayed(function() return 7 end, { lane = \"process\" })():compute())' |
        grep -x 7"
}

examples_and_strategies_run() {
    script 'tidemill examples 1 --copy; tidemill 01_sum_of_squares.lua | grep -x 140
        tidemill new mine.lua; tidemill run mine.lua | grep "120 tasks computed"'
}

stock_luajit_loads_the_module() {
    script "luajit -e 'print(require(\"tidemill\").kernels.mean{1, 2, 6})' | grep -x 3"
}

files_are_where_debian_has_them() {
    script 'for file in man/man1/tidemill.1.gz man/man3/tidemill.h.3.gz \
            bash-completion/completions/tidemill zsh/vendor-completions/_tidemill \
            fish/vendor_completions.d/tidemill.fish doc/tidemill/copyright tidemill/meta/tidemill.lua
        do ls /usr/share/$file; done'
}

programs_link_the_library() {
    inside apt-get install -y --no-install-recommends gcc libc6-dev pkg-config || return 1
    script 'tidemill examples smallest --copy
        cc -o shared smallest.c $(pkg-config --cflags --libs tidemill); ./shared
        cc -o static smallest.c -Wl,-Bstatic -ltidemill -Wl,-Bdynamic \
            $(pkg-config --static --cflags --libs tidemill); ./static'
}

# The spec of completions with what the packages have installed.
shells_complete() {
    inside apt-get install -y --no-install-recommends zsh fish lua-busted || return 1
    share=$root/home/somebody/build/release/share
    mkdir -p "$share" "$root/home/somebody/tests" "$root/home/somebody/scripts"
    cp -r tests/spec "$root/home/somebody/tests/spec"
    cp -r scripts/dev "$root/home/somebody/scripts/dev"
    ln -s /usr/share/bash-completion/completions/tidemill "$share/tidemill.bash"
    ln -s /usr/share/zsh/vendor-completions/_tidemill "$share/tidemill.zsh"
    ln -s /usr/share/fish/vendor_completions.d/tidemill.fish "$share/tidemill.fish"
    cp -r examples "$root/home/somebody/examples"
    chown -R 1000:1000 "$root/home/somebody"
    script 'TIDEMILL_TEST_PRODUCTS=/usr/bin luajit scripts/dev/spec.lua tests/spec/completion_spec.lua |
        tee said; grep -q " 0 failed, 0 skipped$" said'
}

purging_leaves_nothing() {
    inside apt-get purge -y tidemill libtidemill0 libtidemill-dev lua-tidemill || return 1
    left=$(find "$root/usr" "$root/etc" -name '*tidemill*')
    [ -z "$left" ] || { echo "left behind: $left"; return 1; }
}

run() {
    if "$1" >"$log" 2>&1; then
        passed=$((passed + 1))
        echo "ok $1"
    else
        failed=$((failed + 1))
        echo "not ok $1"
        tail -40 "$log"
    fi
}

prepare
run install_packages
run program_runs
run tasks_run_in_processes
run examples_and_strategies_run
run stock_luajit_loads_the_module
run files_are_where_debian_has_them
run programs_link_the_library
run shells_complete
run purging_leaves_nothing
rm -rf --one-file-system "$root"
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
