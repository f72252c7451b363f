#!/bin/sh
# bench_peers: prepares what `make bench` compares with: oneTBB and an OpenBLAS with threads from
# Debian, and a Python environment in build/peers-venv with Dask, Ray, joblib, diskcache, NumPy, pandas
# and bottleneck, from whatever registry pip is configured for.  What cannot be had is named, and is a
# peer less: nothing else fails.
# TIDEMILL_BENCH_PYTHON: an interpreter of yours; then nothing is installed into it.
# SPDX-License-Identifier: MIT
set -u

environment=build/peers-venv
lacking=

lack() {
    echo "bench-peers: could not be had: $1"
    lacking="$lacking $1"
}

sh "$(dirname "$0")/setup.sh" peers || echo "bench-peers: going on with the packages that are there"

if [ -n "${TIDEMILL_BENCH_PYTHON:-}" ]; then
    python=$TIDEMILL_BENCH_PYTHON
else
    python=$environment/bin/python
    "$python" -c 'import pip' 2>/dev/null || python3 -m venv "$environment" || lack "$environment"
    # One at a time: one that is not to be had does not keep the others away.
    for package in numpy pandas bottleneck joblib diskcache dask ray; do
        "$python" -c "import $package" 2>/dev/null || {
            echo "+ $python -m pip install $package"
            "$python" -m pip install -q --disable-pip-version-check "$package"
        }
    done
fi

for package in numpy pandas bottleneck joblib diskcache dask ray; do
    "$python" -c "import $package" 2>/dev/null || lack "$package"
done
# Beside, not into, the system: installed it would take the place of the serial build that we use.
openblas=build/peers/openblas
if ! [ -e $openblas/libopenblas.so.0 ] && command -v apt-get >/dev/null; then
    unpacked=$openblas/unpacked
    mkdir -p $unpacked
    (cd $unpacked && apt-get -qq download libopenblas0-pthread && dpkg-deb -x ./*.deb .) &&
        cp "$(find $unpacked -name 'libopenblas.so.0' | head -1)" $openblas/
    rm -rf $unpacked
fi
[ -e $openblas/libopenblas.so.0 ] || lack libopenblas0-pthread

{ pkg-config --exists tbb && command -v "${CXX:-g++}" >/dev/null; } 2>/dev/null || lack oneTBB

if [ -z "$lacking" ]; then
    echo "bench-peers: all peers are there; now: make bench"
else
    echo "bench-peers: make bench will report as absent:$lacking"
fi
