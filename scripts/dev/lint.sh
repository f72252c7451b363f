#!/bin/sh
# lint: what can be said of the sources without running them; `make lint` has compiled them.
# Usage: lint.sh PRODUCTS "C files" "Lua files".  Every check runs; one that fails fails lint.
# SPDX-License-Identifier: MIT
set -u

products=$1 c_files=$2 lua_files=$3
formatted_with=14
failures=0

check() { # check name command...
    name=$1
    shift
    if output=$("$@" 2>&1); then
        printf '  %-15s ok\n' "$name"
    else
        failures=$((failures + 1))
        printf '  %-15s FAILED\n%s\n' "$name" "$output"
    fi
}

# Other major versions of clang-format break lines elsewhere: their opinion is not asked.
check_format() {
    version=$(clang-format --version | sed 's/.*version \([0-9]*\).*/\1/')
    if [ "$version" != $formatted_with ]; then
        printf '  %-15s skipped: clang-format %s wanted, %s found\n' \
            clang-format $formatted_with "$version"
    else
        check clang-format clang-format --dry-run -Werror $c_files
    fi
}

# What programs can see of a product: names that start with tidemill_, and the module's entry.
exported_names() { # exported_names product nm-options
    names=$(nm --defined-only --extern-only $2 "$1") || return 1
    strangers=$(echo "$names" | awk 'NF == 3 && $3 !~ /^(tidemill_|luaopen_tidemill$)/ { print $3 }')
    [ -z "$strangers" ] || { echo "$1 exports $strangers"; return 1; }
}

# What make amalgamation compiles as one file.
engine_files() {
    ls host/*/*.[ch] kernels/*.[ch] kernels/*/*.c
}

text_files() {
    echo $c_files $lua_files Makefile .ci/run *.md
    find scripts tests docs -name '*.sh' -o -name '*.md' -o -name '*.py'
}

check_format
check luacheck luacheck --no-color --quiet --codes $lua_files
check "source rules" "${LUAJIT:-luajit}" scripts/dev/lint.lua $(text_files)
check reference "${LUAJIT:-luajit}" scripts/dev/reference.lua --check
check links "${LUAJIT:-luajit}" scripts/dev/links.lua *.md $(find docs -name '*.md' | sort)
check "names" "${LUAJIT:-luajit}" scripts/dev/lint_names.lua $(engine_files)
check "exports of .so" exported_names "$products/libtidemill.so.0" --dynamic
check "exports of lua" exported_names "$products/tidemill.so" --dynamic
check "exports of .a" exported_names "$products/libtidemill.a" ""

[ $failures = 0 ] || { echo "lint: $failures checks failed"; exit 1; }
