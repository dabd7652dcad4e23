# Fetches the append-only file that covers the second POINT_IN_TIME, and cuts it behind that second's
# end. A part of restore.sh; sets `snapshot`, `bytes` and `parts`, which is one.
windows() { # what the kept files cover, a line each: FROM UNTIL ID
    restic snapshots --json --host "$TIER" --tag "aof:$LABEL" |
        { grep -o '"tags":\[[^]]*\][^{}]*"id":"[0-9a-f]*"' || true; } |
        sed -n 's/.*"from=\([0-9]*\)".*"until=\([0-9]*\)".*"id":"\([0-9a-f]*\)"/\1 \2 \3/p'
}

second() { # second UNIX: in words
    date -u -d "@$1" +%FT%TZ
}

snapshot='' covered=''
while read -r from until id; do
    covered="$covered $(second "$from") to $(second "$until"),"
    if [ "$from" -le "$POINT_IN_TIME" ] && [ "$POINT_IN_TIME" -le "$until" ]; then
        snapshot=$id
    fi
done < <(windows)
[ -n "$snapshot" ] ||
    die "no append-only file of $LABEL covers $(second "$POINT_IN_TIME"); there is${covered:- none,}"
restic restore --quiet "$snapshot" --target "$WORK/aof" >/dev/null ||
    die "snapshot $snapshot cannot be read"
folder=$WORK/aof/server/appendonlydir
manifest=$folder/appendonly.aof.manifest
bytes=$(cat "$folder"/*.aof "$folder"/*.rdb | wc -c)

# Whole files from after that second go, the last one first.
for each in $(sed -n 's/^file \([^ ]*\) seq [0-9]* type i$/\1/p' "$manifest" | tac); do
    first=$(head -n 1 "$folder/$each" | sed -n 's/^#TS:\([0-9]*\).*/\1/p')
    if [ -n "$first" ] && [ "$first" -le "$POINT_IN_TIME" ]; then
        break
    fi
    sed -i "/^file $each seq /d" "$manifest"
    rm "$folder/$each"
done
if grep -q ' type i$' "$manifest"; then
    # It was read while it grew: its last command may be cut short.
    redis-check-aof --fix "$manifest" <<<y >"$WORK/cut" ||
        die "the append-only file is damaged: $(tail -n 1 "$WORK/cut")"
    redis-check-aof --truncate-to-timestamp "$POINT_IN_TIME" "$manifest" >"$WORK/cut" ||
        die "the append-only file cannot be cut: $(tail -n 1 "$WORK/cut")"
fi
parts=1

begin() { # starts `own` with it
    serve own --port 0 --dir "$WORK/aof/server" --appendonly yes --auto-aof-rewrite-percentage 0
    # Keys that have expired since then are still there until somebody looks at them.
    local db
    for db in $(databases); do
        own -n "$db" --scan >/dev/null
    done
}
