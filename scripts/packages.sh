#!/bin/sh
# Packages the four crates as `cargo publish` would, and looks at what is in them. It needs
# no network beyond what a build has downloaded, and builds nothing.
#
# `publish = false` keeps cargo from taking the crates' dependencies on each other from what
# it has just packaged, so this works on a copy of the tracked files without that line.
set -eu
cd "$(dirname "$0")/.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z -- Cargo.toml Cargo.lock LICENSE-MIT LICENSE-APACHE crates |
    tar --null --files-from=- -cf - | tar -xf - -C "$copy"
cd "$copy"
mkdir benches && for bench in $(sed -n 's/^path = "\.\.\/\.\.\/\(benches\/.*\)"$/\1/p' crates/*/Cargo.toml); do
    : >"$bench" # The manifests name them; a package does not have them.
done
grep -v '^publish = false$' Cargo.toml >without && mv without Cargo.toml
sed -i.before '/^publish\.workspace = true$/d' crates/*/Cargo.toml && rm crates/*/Cargo.toml.before
CARGO_TARGET_DIR=$copy/target cargo package --quiet --workspace --no-verify --offline --allow-dirty \
    2>&1 | grep -v -e '^warning: ignoring benchmark' -e '^warning: manifest has no documentation' \
    -e '^  |$' -e '^  = note: see .*package-metadata' -e '^$' >&2 || true

failed=0
fault() {
    echo "$1" >&2
    failed=1
}

for manifest in crates/*/Cargo.toml; do
    name=$(basename "$(dirname "$manifest")")
    set -- target/package/"$name"-*.crate
    [ -f "$1" ] || { fault "$name: cargo made no package"; continue; }
    # Alone in a folder, so that no path leads to the file of another crate.
    unpacked=unpacked/$name/alone
    mkdir -p "$unpacked"
    tar -xzf "$1" -C "$unpacked" --strip-components=1
    for file in LICENSE-MIT LICENSE-APACHE README.md Cargo.toml Cargo.lock src/lib.rs; do
        [ -s "$unpacked/$file" ] || fault "$name: the package has no $file"
    done
    # Every file that a source includes must be in the package.
    includes=$(cd "$unpacked" &&
        grep -rno --include='*.rs' 'include\(_str\|_bytes\)\{0,1\}!("[^"]*")' . || true)
    echo "$includes" | sed -n 's/^\([^:]*\):\([0-9]*\):.*("\(.*\)")$/\1 \2 \3/p' >"includes-$name"
    while read -r source line path; do
        [ -f "$(dirname "$unpacked/$source")/$path" ] ||
            fault "$name: ${source#./}, line $line, includes $path, which is not in the package"
    done <"includes-$name"
    echo "$name: $(tar -tzf "$1" | wc -l | tr -d ' ') files, $(wc -l <"includes-$name" | tr -d ' ') of them included by sources"
done
exit $failed
