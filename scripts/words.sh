#!/bin/sh
# Finds words that this project does not use in comments and documents, prints each
# with what to write instead, and exits with 1 if there are any.
#
#   scripts/words.sh [FILE...]     without files: crates/*/src, benches and documents
#
# Of Rust sources only comments are read, of Markdown everything. A phrase
# that a line break divides is found too. Needs a POSIX shell and awk.
set -eu
cd "$(dirname "$0")/.."

# phrase = what to write instead. A phrase is a regular expression of awk, in lower
# case, that must match whole words.
words='
behind = after
places? = offset, position, element
at hand = current, given
asked for = prefetched, requested
so many = n, that number of
as many = the same number of, or the number itself
'

# Right uses of these words. They are removed before the search.
allowed='
(take|takes|took|taken|taking) (the )?place
in place
in places
in its place
decimal places?
in the first place
units? in the last place
'

if [ $# -gt 0 ]; then
    files=$*
else
    files=$(
        find crates/*/src -name '*.rs' | LC_ALL=C sort
        ls benches/*.rs benches/peers/README.md
        ls README.md CHANGELOG.md CONTRIBUTING.md data/README.md docs/*.md
    )
fi

# shellcheck disable=SC2086 # No path has a space.
WORDS=$words ALLOWED=$allowed awk '
    function whole(pattern) { return "[^a-z0-9_]" pattern "[^a-z0-9_]" }
    BEGIN {
        n = split(ENVIRON["WORDS"], line, "\n")
        for (i = 1; i <= n; i++) {
            if (line[i] == "") continue
            at = index(line[i], " = ")
            phrase[++phrases] = substr(line[i], 1, at - 1)
            instead[phrases] = substr(line[i], at + 3)
        }
        n = split(ENVIRON["ALLOWED"], line, "\n")
        for (i = 1; i <= n; i++) if (line[i] != "") right[++rights] = line[i]
    }
    FNR == 1 { last = "" }
    {
        text = tolower($0)
        sub(/\r$/, "", text)
        if (FILENAME !~ /\.md$/) {
            # The comment of the line, without what opens it.
            if (!match(text, /\/\/[\/!]?/)) { last = ""; next }
            text = substr(text, RSTART + RLENGTH)
        }
        gsub(/[ \t]+/, " ", text)
        sub(/^ /, "", text)
        sub(/ $/, "", text)
        before = last
        n = split(text, word, " ")
        last = n > 0 ? word[n] : ""
        # The last word of the line before comes first, so that a divided phrase is whole.
        text = " " before " " text " "
        for (i = 1; i <= rights; i++) {
            while (match(text, whole(right[i]))) {
                text = substr(text, 1, RSTART) "\001" substr(text, RSTART + RLENGTH - 1)
            }
        }
        for (i = 1; i <= phrases; i++) {
            rest = text
            # By itself that word was searched with its own line.
            if (phrase[i] !~ / / && index(text, " " before " ") == 1) {
                rest = substr(text, length(before) + 2)
            }
            while (match(rest, whole(phrase[i]))) {
                found = substr(rest, RSTART + 1, RLENGTH - 2)
                printf "%s:%d: \"%s\"; write: %s\n", FILENAME, FNR, found, instead[i]
                hits++
                rest = substr(rest, RSTART + RLENGTH - 1)
            }
        }
    }
    END {
        if (hits) { printf "%d hits; scripts/words.sh has the list, and the right uses\n", hits; exit 1 }
    }
' $files
