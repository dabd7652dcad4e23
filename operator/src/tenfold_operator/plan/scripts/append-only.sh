# Keeps the append-only file of the replica RECORDED, whose volume is at /server: a base and the
# commands since, each second's begun by its time. A part of backup.sh; sets `window`.
server="$RECORDED.$NODES"
manifest=/server/appendonlydir/appendonly.aof.manifest

files() { # files TYPE: names of the files of a type, b (base) or i (commands), in their order
    sed -n "s/^file \([^ ]*\) seq [0-9]* type $1\$/\1/p" "$manifest"
}

have_times() { # whether every file of commands begins with its time
    local each
    for each in $(files i); do
        [ ! -s "/server/appendonlydir/$each" ] ||
            [ "$(head -c 4 "/server/appendonlydir/$each")" = '#TS:' ] || return 1
    done
}

base_time() { # the second in which the base was taken, of which it has everything before
    head -c 512 "/server/appendonlydir/$(files b)" >"$WORK/head"
    { redis-check-rdb "$WORK/head" || true; } | sed -n "s/.*ctime = '\([0-9]*\)'.*/\1/p" | head -n 1
}

[ "$(replication "$server" master_link_status)" = up ] ||
    die "$RECORDED is no connected replica: its append-only file was not kept"
if ! have_times; then
    # From before the servers were told to write times.
    "${cli[@]}" -h "$server" bgrewriteaof >/dev/null
    until have_times; do
        [ "$SECONDS" -lt 3600 ] || die "$RECORDED did not rewrite its append-only file"
        sleep 0.5
    done
fi

kept_id=
for _ in 1 2 3 4 5; do
    before=$(cat "$manifest")
    from=$(base_time)
    until [ "$(date +%s)" -gt "$from" ]; do
        sleep 0.2
    done
    until=$(($(date +%s) - 1))
    come_so_far "$server" "$(replication "$server" master_host)" ||
        die "$RECORDED lags: its append-only file was not kept"
    failed=
    restic backup --json --host "$TIER" --tag "aof:$LABEL" --tag "from=$from" --tag "until=$until" \
        /server/appendonlydir >"$WORK/summary" 2>"$WORK/trouble" || failed=yes
    id=$(tail -n 1 "$WORK/summary" | field snapshot_id || true)
    # It may have grown meanwhile; when it was rewritten, its parts do not belong together.
    if [ "$(cat "$manifest")" = "$before" ]; then
        [ -z "$failed" ] ||
            die "the append-only file of $RECORDED did not reach the repository: $(tail -n 1 "$WORK/trouble")"
        kept_id=$id
        break
    fi
    [ -z "$id" ] || restic forget --quiet "$id"
done
[ -n "$kept_id" ] ||
    die "the append-only file of $RECORDED was rewritten again and again: it was not kept"
# shellcheck disable=SC2086 # several options
restic forget --quiet --host "$TIER" --tag "aof:$LABEL" --group-by host $KEEP >/dev/null ||
    die "the retention could not be kept"
window=$(printf ',"from":"%s","until":"%s"' \
    "$(date -u -d "@$from" +%FT%TZ)" "$(date -u -d "@$until" +%FT%TZ)")
