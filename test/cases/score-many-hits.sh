# An event of 60,000 hits is scored in seconds: clustering does not take the square of the number of hits in time.
. "$(dirname "$0")/lib.sh"
awk 'BEGIN {
    srand(3)
    for (t = 0; t < 6000; t++) for (c = 0; c < 4; c++) at[t, c] = rand()
    print "event_id,hit_id,particle_id,weight" >"truth.csv"
    print "event_id,hit_id,a,b,c,d" >"results.csv"
    for (i = 0; i < 60000; i++) {
        t = i % 6000
        printf "1,%d,%d,1\n", i, t + 1 >"truth.csv"
        printf "1,%d", i >"results.csv"
        for (c = 0; c < 4; c++) printf ",%.6f", at[t, c] + 0.002 * (rand() - 0.5) >"results.csv"
        print "" >"results.csv"
    }
}'
start=$(date +%s)
works "score" timeout 60 "$tessera" score results.csv --truth truth.csv --json
check "in less than 30 s" test $(($(date +%s) - start)) -lt 30
says "every track is found" '"mean": (1.0|0.99)'
finish
