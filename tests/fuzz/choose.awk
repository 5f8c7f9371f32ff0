# Reads what libFuzzer writes down while it merges inputs (a list of files, then the features of each as `FT NUMBER …`), and
# prints the names of those to store: again and again the one with the most features that none before it has. Whatever
# somebody wrote is there already.
NR == 1 { files = $1; next }
NR == 2 { next }
NR <= files + 2 { name[NR - 3] = $0; next }
$1 == "FT" { shows[$2] = $0 }
END {
    for (n in shows) {
        base = name[n]
        sub(/.*\//, "", base)
        if (base !~ /^[0-9a-f]+$/ || length(base) != 40) take(n)
    }
    for (; stored > 0; stored--) {
        best = ""
        for (n in shows) {
            fresh = count(n)
            if (fresh > 0 && (best == "" || fresh > most || (fresh == most && name[n] < name[best]))) {
                best = n
                most = fresh
            }
        }
        if (best == "") exit
        print name[best]
        take(best)
    }
}
function take(n,    parts, i, all) {
    all = split(shows[n], parts, " ")
    for (i = 3; i <= all; i++) seen[parts[i]] = 1
    delete shows[n]
}
function count(n,    parts, i, all, fresh) {
    all = split(shows[n], parts, " ")
    fresh = 0
    for (i = 3; i <= all; i++) if (!(parts[i] in seen)) fresh++
    return fresh
}
