#!/bin/bash
# Proves a snapshot by its checksum, loads it into a server of its own, copies it from there, and
# compares key counts, sampled values and times to live. SNAPSHOT, LABEL and MODE come from the pod:
# copy (into the tier TIER at TARGET, which has to be empty), replace (the same, emptied first) or
# drill (into a throw-away server).
set -Eeuo pipefail
. /scripts/common.sh
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

own() { # own OPTION...: redis-cli on the server that holds the snapshot
    env -u REDISCLI_AUTH redis-cli -s "$WORK/own.sock" "$@"
}

answers() { # answers NAME: whether it has loaded its data, with or without a password
    redis-cli -s "$WORK/$1.sock" ping 2>/dev/null | grep -qx PONG
}

serve() { # serve NAME OPTION...: starts a server in the background and waits until it answers
    local name=$1
    shift
    redis-server --save '' --appendonly no --dir "$WORK" --unixsocket "$WORK/$name.sock" \
        --logfile "$WORK/$name.log" "$@" &
    local server=$!
    until answers "$name"; do
        kill -0 "$server" 2>/dev/null || die "the snapshot cannot be loaded: $(tail -n 1 "$WORK/$name.log")"
        sleep 0.1
    done
}

recorded() { # recorded NAME: what the backup noted of the snapshot
    restic snapshots --json "$snapshot" | grep -o "\"$1=[^\"]*\"" | head -n 1 | tr -d '"' | cut -d = -f 2
}

snapshot=$SNAPSHOT
if [ "$snapshot" = latest ]; then
    snapshot=$(restic snapshots --json --host "$TIER" --tag "$LABEL" --latest 1 --group-by host | field id)
fi
[ -n "$snapshot" ] || die "the repository has no snapshot of $LABEL"
restic dump "$snapshot" dump.rdb >"$WORK/dump.rdb" || die "snapshot $snapshot cannot be read"
bytes=$(stat -c %s "$WORK/dump.rdb")
if [ "$(sha256sum "$WORK/dump.rdb" | cut -c 1-64)" != "$(recorded sha256)" ]; then
    die "snapshot $snapshot is not what was backed up: its checksum differs"
fi
serve own --port 0 --dbfilename dump.rdb

if [ "$MODE" = drill ]; then
    TARGET=127.0.0.1
    PORT=7001
    serve target --port "$PORT" --bind "$TARGET" \
        --dbfilename none.rdb --requirepass "$REDISCLI_AUTH"
fi
target=(-h "$TARGET" -p "${PORT:-6379}")
# A network plugin lets a new pod through some seconds after its start.
until redis-cli "${target[@]}" ping 2>/dev/null | grep -qx PONG || [ "$SECONDS" -gt 30 ]; do
    sleep 1
done
there=$(key_count "${target[@]}") || die "$TARGET does not answer"
if [ "$MODE" = replace ]; then
    redis-cli "${target[@]}" flushall >/dev/null
elif [ "$there" != 0 ]; then
    die "$TARGET holds $there keys: restore into an empty tier, or set mode: replace and confirm it"
fi

sampled=0 different=0
for db in $(own --raw info keyspace | grep -o '^db[0-9]*' | cut -c 3-); do
    cursor=0
    while :; do
        cursor=$(own -n "$db" --raw eval "$(cat /scripts/copy.lua)" 0 \
            "$cursor" "$TARGET" "${PORT:-6379}" "$db" "$REDISCLI_AUTH")
        [[ $cursor =~ ^[0-9]+$ ]] || die "copying to $TARGET failed: $cursor"
        [ "$cursor" != 0 ] || break
    done
    # About a thousand keys, always the same ones.
    step=$(($(own -n "$db" dbsize) / 1000 + 1))
    own -n "$db" --raw eval "$(cat /scripts/digest.lua /scripts/sample.lua)" 0 "$step" >"$WORK/sample"
    sampled=$((sampled + $(grep -c . "$WORK/sample" || true)))
    off=$(xargs -r -n 300 redis-cli "${target[@]}" -n "$db" --raw \
        eval "$(cat /scripts/digest.lua /scripts/compare.lua)" 0 <"$WORK/sample" | sum)
    [[ $off =~ ^[0-9]+$ ]] || die "comparing with $TARGET failed: $off"
    different=$((different + off))
done
keys=$(unset REDISCLI_AUTH && key_count -s "$WORK/own.sock")
found=$(key_count "${target[@]}")
result "$(printf '"snapshot":"%s","bytes":%s,"keys":%s,"found":%s,"sampled":%s,"different":%s' \
    "${snapshot:0:8}" "$bytes" "$keys" "$found" "$sampled" "$different")"
if [ "$keys" != "$found" ] || [ "$different" != 0 ]; then
    exit 1
fi
