# Names that comments and documents cite and that are not there: files (word.c, room/word.h, ...) and identifiers (ts_..., TS_...).
# scripts/check_tree.sh runs it: awk -f check_names.awk -v paths=FILE FILE... (paths: every file of the tree, one a line). Prints, a line
# each and tab-separated, the file, its line and the name. A file is there if the tree has it, or if code names it (files that are made);
# an identifier if code has it. Code is what is neither comment nor document; what ends in _ stands for all names that begin so.
BEGIN {
    while ((getline path <paths) > 0)
        for (tail = path; tail != ""; tail = substr(tail, RLENGTH + 1)) {
            there[tail] = 1
            if (!match(tail, /^[^\/]*\//)) break
            directory[substr(tail, 1, RLENGTH - 1)] = 1
        }
    file_name = "[A-Za-z0-9_]\\.(c|h|v|def|cpp|awk|sh|py|md|txt|json)$"
}
FNR == 1 {
    block = 0
    kind = FILENAME ~ /\.(c|h|cpp|def)$/ ? "c" : FILENAME ~ /\.v$/ ? "verilog" : FILENAME ~ /\.(md|1)$/ ? "text" : "hash"
}
kind == "text" { cite($0); next }
kind == "hash" { if ($0 ~ /^[ \t]*#/) cite($0); else code($0); next }
{ # C and Verilog: the line falls into comments, literals and the rest
    rest = $0
    while (rest != "") {
        if (block) {
            end = index(rest, "*/")
            cite(end ? substr(rest, 1, end - 1) : rest)
            rest = end ? substr(rest, end + 2) : ""
            block = !end
        } else if (!match(rest, /"|\/\*|\/\/|'/)) {
            code(rest)
            rest = ""
        } else {
            code(substr(rest, 1, RSTART - 1))
            mark = substr(rest, RSTART, 2)
            rest = substr(rest, RSTART)
            if (mark == "//") { cite(rest); rest = "" }
            else if (mark == "/*") { block = 1; rest = substr(rest, 3) }
            else if (mark ~ /^"/ && match(rest, /^"([^"\\]|\\.)*"/)) { code(substr(rest, 1, RLENGTH)); rest = substr(rest, RLENGTH + 1) }
            else if (kind == "c" && match(rest, /^'([^'\\]|\\.)+'/)) rest = substr(rest, RLENGTH + 1)
            else rest = substr(rest, 2)
        }
    }
}

function code(text,   i, n, word) {
    n = split(text, word, /[^A-Za-z0-9_]+/)
    for (i = 1; i <= n; i++) if (word[i] ~ /^_?[tT][sS]_/) have[word[i]] = 1
    if (text !~ /\./) return
    n = split(text, word, /[^A-Za-z0-9_.-]+/)
    for (i = 1; i <= n; i++) if (word[i] ~ file_name) made[word[i]] = 1
}
function cite(text,   i, n, word) {
    if (text ~ /[tT][sS]_/) {
        n = split(text, word, /[^A-Za-z0-9_]+/)
        for (i = 1; i <= n; i++) if (word[i] ~ /^[tT][sS]_./) cited[++cites] = FILENAME "\t" FNR "\t" word[i]
    }
    if (text !~ /\./) return
    gsub(/https?:[^ ]*/, "", text)
    n = split(text, word, /[^A-Za-z0-9_.\/*-]+/)
    for (i = 1; i <= n; i++) {
        sub(/\.+$/, "", word[i])
        sub(/^(\.*\/)+/, "", word[i])
        if (word[i] ~ file_name && word[i] !~ /\*/) cited[++cites] = FILENAME "\t" FNR "\t" word[i]
    }
}
function made_by_code(path,   name, stem, room) {
    name = stem = room = path
    sub(/.*\//, "", name)
    sub(/\.[a-z]+$/, "", stem)
    sub(/.*\//, "", stem)
    if (path ~ /^out\// || stem ~ /^[A-Z_0-9]+$/ || stem ~ /^_/) return 1 # NAME.json and <model>_top.v stand for some name
    sub(/\/[^\/]*$/, "", room)
    sub(/.*\//, "", room)
    if (name in there) return name != path && !(room in directory) # tb/ring.h: a copy of it, in a design
    return (name in made) || (stem in have)
}

END {
    for (name in have) # ts_link_rx: ts_link_, too
        for (i = 4; i < length(name); i++) if (substr(name, i, 1) == "_") begins[substr(name, 1, i)] = 1
    for (i = 1; i <= cites; i++) {
        split(cited[i], part, "\t")
        name = part[3]
        if (name ~ /\./) ok = (name in there) || made_by_code(name)
        else ok = (name in have) || (name ~ /_$/ && name in begins)
        if (!ok) print cited[i]
    }
}
