#!/bin/sh
# Lists the unsafe code of the project: blocks, functions, impls and traits per file.
#
#   scripts/unsafe.sh          prints the table
#   scripts/unsafe.sh write    puts it into docs/reliability.md
#   scripts/unsafe.sh check    fails if docs/reliability.md has another table, or if
#                              a file has unsafe code that docs/design.md does not name
#
# Comments are not counted. Needs a POSIX shell and awk.
set -eu
cd "$(dirname "$0")/.."

report=docs/reliability.md
contract=docs/design.md

sources() {
    find crates benches -name target -prune -o -name '*.rs' -print | LC_ALL=C sort
}

table() {
    # shellcheck disable=SC2046 # No path of a source has a space.
    awk '
        function count(pattern,    text, n) {
            text = line
            n = 0
            while (match(text, pattern)) {
                n++
                text = substr(text, RSTART + RLENGTH)
            }
            return n
        }
        BEGIN {
            print "| file | blocks | functions | impls | traits |"
            print "| --- | ---: | ---: | ---: | ---: |"
        }
        {
            line = " " $0 " "
            sub(/\/\/.*/, " ", line)
            # In quotes it is a word of a text, such as a policy for browsers.
            if (line !~ /[^A-Za-z0-9_"'\''-]unsafe[^A-Za-z0-9_"'\''-]/) next
            b = count("[^A-Za-z0-9_]unsafe *[{]")
            f = count("[^A-Za-z0-9_]unsafe +(extern +\"[^\"]*\" +)?fn +[A-Za-z_]")
            i = count("[^A-Za-z0-9_]unsafe +impl[^A-Za-z0-9_]")
            t = count("[^A-Za-z0-9_]unsafe +trait ")
            if (!(FILENAME in blocks)) order[++files] = FILENAME
            blocks[FILENAME] += b; functions[FILENAME] += f
            impls[FILENAME] += i; traits[FILENAME] += t
            all_b += b; all_f += f; all_i += i; all_t += t
        }
        END {
            for (n = 1; n <= files; n++) {
                at = order[n]
                printf "| `%s` | %d | %d | %d | %d |\n", at, blocks[at], functions[at], impls[at], traits[at]
            }
            printf "| all %d files | %d | %d | %d | %d |\n", files, all_b, all_f, all_i, all_t
        }
    ' $(sources)
}

# What stands between <!-- NAME --> and <!-- /NAME --> in a file.
between() {
    awk -v name="$1" '
        $0 == "<!-- /" name " -->" { inside = 0 }
        inside { print }
        $0 == "<!-- " name " -->" { inside = 1 }
    ' "$2"
}

written() {
    new=$(mktemp)
    table >"$new"
    awk -v new="$new" '
        $0 == "<!-- /unsafe -->" { inside = 0; print "" }
        !inside { print }
        $0 == "<!-- unsafe -->" {
            inside = 1
            print ""
            while ((getline line < new) > 0) print line
        }
    ' "$report"
    rm -f "$new"
}

check() {
    failed=0
    if [ "$(between unsafe "$report")" != "$(printf '\n%s\n' "$(table)")" ]; then
        echo "$report: its table of unsafe code is out of date; run scripts/unsafe.sh write" >&2
        failed=1
    fi
    # The patterns that the list in docs/design.md begins its lines with.
    named=$(between 'unsafe files' "$contract" | sed -n 's/^- `\([^`]*\)`.*/\1/p')
    for file in $(table | sed -n 's/^| `\([^`]*\)`.*/\1/p'); do
        found=no
        set -f # A pattern is for `case` here, not for file names.
        for pattern in $named; do
            # shellcheck disable=SC2254
            case $file in $pattern) found=yes ;; esac
        done
        set +f
        if [ $found = no ]; then
            echo "$file: has unsafe code, but the list in $contract (Contracts) does not name it" >&2
            failed=1
        fi
    done
    return $failed
}

case ${1-} in
'') table ;;
write)
    whole=$(mktemp)
    written >"$whole"
    cat "$whole" >"$report"
    rm -f "$whole"
    ;;
check) check ;;
*)
    echo "usage: scripts/unsafe.sh [write|check]" >&2
    exit 2
    ;;
esac
