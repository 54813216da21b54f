#!/usr/bin/env bash
# The trainer with its feature `mpi`: clippy, and its tests under mpirun, which take about a
# minute.
#
#   scripts/mpi.sh
#
# Needs an MPI with its headers (mpirun, mpicc) and libclang. What is missing is installed where
# this is root on a Debian. Elsewhere nothing is tested, and it fails: whoever has no MPI leaves
# this step out by naming the others.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(openmpi-bin libopenmpi-dev libclang-dev)

has_libclang() {
    local dir
    for dir in "${LIBCLANG_PATH:-/usr/lib}" '/usr/lib/llvm*/lib' '/usr/lib*' '/usr/lib/*'; do
        compgen -G "$dir/libclang[.-]*so*" >/dev/null && return
    done
    return 1
}

missing() {
    local name
    for name in mpirun mpicc; do command -v "$name" >/dev/null || echo "$name"; done
    has_libclang || echo libclang
}

if [[ $(missing) && $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${packages[@]}" >/dev/null || true
fi
names=$(missing | paste -sd ' ')
[[ ! $names ]] || {
    echo "the tests of MPI were not run: missing $names; on Debian: apt-get install ${packages[*]}" >&2
    exit 1
}

cargo clippy -p trainer --all-targets --features mpi --locked -- -D warnings
cargo test -p trainer --features mpi --lib --locked -- ranks:: pool::
cargo test -p trainer --features mpi --test cli --locked -- mpi::
