#!/usr/bin/env bash
# The page of `trainer export --page`: its network under node against `trainer predict` on the
# whole test set, then the page itself in Chromium, by mouse, keys, finger and picture, with an
# accessibility checker, and the page of `trainer serve` too.
#
#   scripts/browser.sh            the checks; about a minute after a release build
#   scripts/browser.sh picture    also writes docs/page.png, which the README shows
#
# Needs node with npm, and Chromium. What is missing is installed where this is root on a
# Debian; elsewhere it says so and is content with that.
set -euo pipefail
cd "$(dirname "$0")/.."

find_chromium() {
    local name
    for name in ${CHROMIUM:-chromium chromium-browser google-chrome}; do
        command -v "$name" && return
    done
}

missing=()
for name in node npm; do command -v "$name" >/dev/null || missing+=("${name/node/nodejs}"); done
[[ $(find_chromium) ]] || missing+=(chromium)
if ((${#missing[@]})) && [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" >/dev/null || true
fi
for name in node npm; do
    command -v "$name" >/dev/null || { echo "skipped: there is no $name to run the scripts of a page"; exit 0; }
done
CHROMIUM=$(find_chromium) || { echo "skipped: there is no Chromium to open a page; apt-get install chromium"; exit 0; }
export CHROMIUM

target=${CARGO_TARGET_DIR:-target}
cargo build --quiet -p trainer --release --locked
trainer=$(realpath "$target")/release/trainer
tests=$(realpath crates/trainer/tests)
data=$(realpath data)

# The packages of the lock file, outside of the sources.
modules=$target/browser
mkdir -p "$modules"
cp "$tests"/browser/package*.json "$modules"
(cd "$modules" && npm ci --silent --no-audit --no-fund) ||
    { echo "skipped: npm could not install the packages of $tests/browser"; exit 0; }
NODE_PATH=$(realpath "$modules")/node_modules
export NODE_PATH

dir=$(mktemp -d)
server=
trap 'if [[ $server ]]; then kill "$server" 2>/dev/null || true; fi; rm -rf "$dir"' EXIT

"$trainer" "$data" --epochs 5 --quiet --out "$dir/mnist"
"$trainer" "$data" --deskew --hidden 32 --epochs 1 --quiet --out "$dir/deskewed"
"$trainer" "$data/iris.csv" --target species --quiet --out "$dir/iris"
"$trainer" export --model "$dir/mnist" --page "$dir/digits.html"
"$trainer" export --model "$dir/deskewed" --page "$dir/deskewed.html"
"$trainer" export --model "$dir/iris" --page "$dir/rows.html"

# Every image of the test set has the same class; probabilities are close.
images=$data/t10k-images-idx3-ubyte
for pair in mnist:digits deskewed:deskewed; do
    "$trainer" predict --model "$dir/${pair%:*}" "$images" --csv | tail -n +2 | cut -d, -f2,3 >"$dir/said"
    node "$tests/page/ask.cjs" "$dir/${pair#*:}.html" "$images" >"$dir/found"
    paste -d, "$dir/said" "$dir/found" | awk -F, -v name="${pair%:*}" '
        $1 != $3 { other++ }
        { d = $2 - $4; if (d < 0) d = -d; if (d > most) most = d }
        END {
            printf "%s: %d of %d classes differ, probabilities by %.1e at most\n", name, other, NR, most
            exit NR != 10000 || other > 0 || most > 1e-4
        }'
done

cp "$data/digit.jpg" "$dir"
"$trainer" predict --model "$dir/mnist" "$dir/digit.jpg" --json >"$dir/digit.json"
if "$trainer" --help | grep -q '^  serve '; then
    "$trainer" serve --model "$dir/mnist" --port 0 >"$dir/served.txt" &
    server=$!
    for _ in {1..100}; do
        [[ -s $dir/served.txt ]] && break
        sleep 0.1
    done
fi

picture=()
[[ ${1:-} != picture ]] || picture=(docs/page.png)
node "$tests/browser/run.cjs" "$dir" "${picture[@]}"
