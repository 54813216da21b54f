#!/bin/sh
# Checks that all crates compile for systems that no test here runs on, and the tests of the
# trainer too. No linker is needed, but each target's standard library is:
#
#   rustup target add TARGET...
#   scripts/targets.sh [TARGET...]     without targets: macOS and Windows, x86-64 and AArch64
#
# The tests of the other crates are left out, because a bench library compiles C.
set -eu
cd "$(dirname "$0")/.."

if [ $# = 0 ]; then
    set -- aarch64-apple-darwin x86_64-apple-darwin x86_64-pc-windows-msvc aarch64-pc-windows-msvc
fi

failed=
for target in "$@"; do
    printf '== %s\n' "$target"
    cargo check --workspace --locked --target "$target" &&
        cargo check -p trainer --tests --locked --target "$target" || failed="$failed $target"
done
if [ -n "$failed" ]; then
    echo "errors for$failed" >&2
    exit 1
fi
