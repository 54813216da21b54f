#!/bin/sh
# Which public types break the programs of others when they grow: enums, and structs whose
# fields are all public, that are not #[non_exhaustive].
#
#   scripts/growth.sh          prints them
#   scripts/growth.sh check    fails if CONTRIBUTING.md (Grow an interface) names others
#
# Needs a POSIX shell and awk.
set -eu
cd "$(dirname "$0")/.."

list=CONTRIBUTING.md

closed() {
    # `reference` is hidden from the documentation: it promises nothing.
    find crates/kernels/src crates/nn/src crates/mnist-io/src \
        -name '*.rs' ! -name reference.rs -exec awk '
        function crate(path, parts) { split(path, parts, "/"); return parts[2] }
        FNR == 1 { open = 0; name = "" }
        /^ *#\[non_exhaustive\]/ { open = 1 }
        /^ *pub enum [A-Za-z]/ && !/[$]/ && !/#\[non_exhaustive\]/ {
            sub(/<.*/, "", $3)
            if (!open) print crate(FILENAME) "::" $3
            open = 0
        }
        /^pub struct / {
            name = $3; sub(/[^A-Za-z].*/, "", name)
            fields = private = 0; grows = open; open = 0
            if ($0 ~ /\(pub /) { if (!grows) print crate(FILENAME) "::" name; name = "" }
            if ($0 ~ /[;})]$/) name = ""
        }
        name != "" && /^    pub [a-z_0-9]+:/ { fields++ }
        name != "" && /^    (pub\([a-z]+\) )?[a-z_0-9]+:/ { private++ }
        /^}/ {
            if (name != "" && fields && !private && !grows) print crate(FILENAME) "::" name
            name = ""
        }
        /^(pub )?(fn|impl|mod|use|trait|const|static|type) / { open = 0 }
    ' {} + | LC_ALL=C sort
}

# The names in backticks between <!-- closed --> and <!-- /closed -->.
named() {
    awk '
        $0 == "<!-- /closed -->" { inside = 0 }
        inside { print }
        $0 == "<!-- closed -->" { inside = 1 }
    ' "$list" | grep -o '`[a-z-]*::[A-Za-z]*`' | tr -d '`' | LC_ALL=C sort
}

case ${1-} in
'') closed ;;
check)
    if [ "$(closed)" != "$(named)" ]; then
        echo "these types are not #[non_exhaustive]; $list (Grow an interface) says of which that is meant:" >&2
        { closed | sed 's/$/ is not/'; named | sed 's/$/ is named/'; } | LC_ALL=C sort |
            awk '{ seen[$1]++; line[$1] = $0 } END { for (type in seen) if (seen[type] == 1) print "  " line[type] }' >&2
        exit 1
    fi
    ;;
*)
    echo "usage: scripts/growth.sh [check]" >&2
    exit 2
    ;;
esac
