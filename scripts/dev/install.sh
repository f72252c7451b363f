#!/bin/sh
# install: puts what was built into its places, or takes it away again.
# Usage: install.sh install|uninstall PRODUCTS SHARE PKG_CONFIG_FILE, with PREFIX, LIBDIR and DESTDIR in
# the environment.  One walk over all files serves both; what was put is listed in
# PREFIX/share/tidemill/installed, so that another release knows what this one has left.
# SPDX-License-Identifier: MIT
set -eu
umask 022

act=$1 products=$2 share=$3 pkg_config=$4
to=$DESTDIR$PREFIX lib=$DESTDIR$LIBDIR
list=$to/share/tidemill/installed
new=

# Debian's zsh looks into another folder for what packages bring.
case $PREFIX in
    /usr) zsh=share/zsh/vendor-completions ;;
    *) zsh=share/zsh/site-functions ;;
esac

# put [-s] MODE SOURCE TARGET: one file; -s without what only debuggers need, unless KEEP_SYMBOLS is set.
put() {
    strip=
    if [ "$1" = -s ]; then
        [ -n "${KEEP_SYMBOLS:-}" ] || strip=-s
        shift
    fi
    new="$new${3#"$DESTDIR"}
"
    [ "$act" = uninstall ] || install -D $strip -m "$1" "$2" "$3"
}

put_all() { # put_all FOLDER FILE...
    folder=$1
    shift
    for file in "$@"; do put 644 "$file" "$folder/${file##*/}"; done
}

link() { # link NAME TARGET
    new="$new${2#"$DESTDIR"}
"
    [ "$act" = uninstall ] || ln -sf "$1" "$2"
}

walk() {
    put -s 755 "$products/tidemill" "$to/bin/tidemill"
    put -s 644 "$products/tidemill.so" "$lib/lua/5.1/tidemill.so"
    put -s 644 "$products/libtidemill.so.0" "$lib/libtidemill.so.0"
    link libtidemill.so.0 "$lib/libtidemill.so"
    put 644 "$products/libtidemill.a" "$lib/libtidemill.a"
    [ "$act" = uninstall ] || [ -n "${KEEP_SYMBOLS:-}" ] || strip --strip-debug "$lib/libtidemill.a"
    put 644 host/include/tidemill.h "$to/include/tidemill.h"
    put 644 "$pkg_config" "$lib/pkgconfig/tidemill.pc"
    put_all "$to/share/tidemill/meta" lua/meta/*.lua
    put_all "$to/share/tidemill/scripts" scripts/*.lua
    put 644 "$share/tidemill.1" "$to/share/man/man1/tidemill.1"
    put 644 "$share/tidemill.h.3" "$to/share/man/man3/tidemill.h.3"
    put 644 "$share/tidemill.bash" "$to/share/bash-completion/completions/tidemill"
    put 644 "$share/tidemill.zsh" "$to/$zsh/_tidemill"
    put 644 "$share/tidemill.fish" "$to/share/fish/vendor_completions.d/tidemill.fish"
    put_all "$to/share/doc/tidemill" LICENSE ./*.md docs/*.md
    put_all "$to/share/doc/tidemill/reference" docs/reference/*.md
    for file in examples/*.lua examples/embed/*.*; do
        put 644 "$file" "$to/share/doc/tidemill/$file"
    done
}

# Files of the list that are not among the new ones, and folders of ours that are empty then.
remove_old() { # remove_old LIST-TEXT
    echo "$1" | while IFS= read -r path; do
        [ -n "$path" ] || continue
        case $new in *"$path
"*) [ "$act" = uninstall ] || continue ;; esac
        rm -f "$DESTDIR$path"
        case $path in
            */tidemill/*/*) rmdir "$DESTDIR${path%/*}" 2>/dev/null || true ;;
        esac
    done
}

# Folders that only we, or others like us, have made; never bin, lib or share themselves.
remove_folders() {
    for folder in share/tidemill/meta share/tidemill/scripts share/tidemill share/doc/tidemill/examples/embed \
        share/doc/tidemill/examples share/doc/tidemill/reference share/doc/tidemill share/bash-completion/completions \
        share/bash-completion "$zsh" share/zsh share/fish/vendor_completions.d share/fish; do
        rmdir "$to/$folder" 2>/dev/null || true
    done
    rmdir "$lib/lua/5.1" "$lib/lua" "$lib/pkgconfig" 2>/dev/null || true
}

say_what_stays() {
    home=${HOME:-\~}
    echo "Not removed, as they are yours:"
    echo "  ${XDG_CACHE_HOME:-$home/.cache}/tidemill    results (tidemill cache clear --all)"
    echo "  ${XDG_STATE_HOME:-$home/.local/state}/tidemill    lines typed in sessions"
    echo "  ${XDG_CONFIG_HOME:-$home/.config}/tidemill, /etc/tidemill    settings"
}

# The loader finds a new library only when its cache knows of it.
tell_loader() {
    [ -z "$DESTDIR" ] && [ "$(id -u)" = 0 ] || return 0
    PATH=$PATH:/sbin:/usr/sbin ldconfig 2>/dev/null || true
}

old=$(cat "$list" 2>/dev/null || true)
walk
if [ "$act" = uninstall ]; then
    remove_old "$old
$new"
    rm -f "$list"
    remove_folders
    say_what_stays
else
    remove_old "$old"
    printf '%s' "$new" >"$list"
fi
tell_loader
