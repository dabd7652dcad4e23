#!/bin/bash
# Proves a snapshot by its checksum, loads it into a server of its own, one shard after the other,
# copies each from there, and compares key counts, sampled values and times to live. Where POINT_IN_TIME
# (Unix seconds) is set, it is not a snapshot but an append-only file up to then. TIER, LABEL (of what
# was backed up), SNAPSHOT and MODE come from the pod: copy (into the tier at TARGET, which has to be
# empty; how many shards it has does not matter), replace (the same, emptied first) or drill (into a
# throw-away server).
set -Eeuo pipefail
. /scripts/common.sh
. /scripts/slots.sh
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

own() { # own OPTION...: redis-cli on the server that holds the snapshot
    env -u REDISCLI_AUTH redis-cli -s "$WORK/own.sock" "$@"
}

answers() { # answers NAME: whether it has loaded its data, with or without a password
    redis-cli -s "$WORK/$1.sock" ping 2>/dev/null | grep -qx PONG
}

# MIGRATE speaks TLS where the servers of a cluster would among each other.
secure=() port=--port
if [ -e /tls/ca.crt ]; then
    secure=(--port 0 --tls-cluster yes --tls-auth-clients no --tls-ca-cert-file /tls/ca.crt
        --tls-cert-file /tls/tls.crt --tls-key-file /tls/tls.key)
    port=--tls-port
fi

serve() { # serve NAME OPTION...: starts a server in the background and waits until it answers
    local name=$1
    shift
    redis-server --save '' --appendonly no --dir "$WORK" --unixsocket "$WORK/$name.sock" \
        --logfile "$WORK/$name.log" "${secure[@]}" "$@" &
    server=$!
    until answers "$name"; do
        kill -0 "$server" 2>/dev/null || die "the snapshot cannot be loaded: $(tail -n 1 "$WORK/$name.log")"
        sleep 0.1
    done
}

loaded='' holding=''
load() { # load PART: has `own` hold it, and nothing else
    [ "$loaded" != "$1" ] || return 0
    if [ -n "$loaded" ]; then
        kill "$holding"
        wait "$holding" || true
    fi
    begin "$1"
    loaded=$1 holding=$server
}

databases() { # those of `own` that hold a key
    own --raw info keyspace | sed -n 's/^db\([0-9]*\):.*/\1/p'
}

wait_if_refused() { # wait_if_refused ANSWER: whether it is one to a write that may be taken later
    [ "$refused" -lt 600 ] || return 1
    case $1 in
    *NOREPLICAS*) ;; # much data at once may leave the replicas behind: they catch up meanwhile
    *MOVED* | *ASK* | *TRYAGAIN* | *CLUSTERDOWN* | *READONLY* | *IOERR* | *"Could not connect"*)
        find_holders "$TARGET" # slots move, or a primary has just failed
        ;;
    *) return 1 ;;
    esac
    refused=$((refused + 1))
    sleep 1
}

until_freed() { # until_freed HOST: waits until what was deleted takes no memory of it
    while ask "$1" info memory | grep '^lazyfree_pending_objects:[1-9]' >/dev/null; do
        sleep 0.1
    done
}

empty() { # deletes all that the target holds
    local host answer
    for host in $(hosts); do
        # In the background: a primary that answers nobody meanwhile would be taken for dead.
        answer=$("${cli[@]}" -h "$host" -p "$PORT" flushall async 2>&1) || true
        if [ "$answer" = OK ]; then
            until_freed "$host"
            continue
        fi
        wait_if_refused "$answer" || die "$host could not be emptied: $answer"
        empty # from the first one on: others may hold the slots now
        return
    done
}

total() { # the keys of the target
    local host
    for host in $(hosts); do
        key_count "${cli[@]}" -h "$host" -p "$PORT" || echo "$host does not answer"
    done | sum
}

copy() { # copy DATABASE: from `own` to those that hold the keys' slots
    local cursor=0 answer
    while :; do
        # shellcheck disable=SC2086 # a host and two slots for each range
        answer=$(own -n "$1" --raw eval "$(cat /scripts/copy.lua)" 0 \
            "$cursor" "$1" "$PORT" "$REDISCLI_AUTH" $held 2>&1)
        ! wait_if_refused "$answer" || continue
        cursor=$answer
        [[ $cursor =~ ^[0-9]+$ ]] || die "copying to $TARGET failed: $cursor"
        [ "$cursor" != 0 ] || break
    done
}

compare() { # compare DATABASE: sets `equal`, how many of the sampled keys their holders have as they were
    local host
    equal=$(for host in $(hosts); do
        xargs -r -n 300 "${cli[@]}" -h "$host" -p "$PORT" -n "$1" --raw \
            eval "$(cat /scripts/digest.lua /scripts/compare.lua)" 0 <"$WORK/sample"
    done | sum)
    [[ $equal =~ ^[0-9]+$ ]] || die "comparing with $TARGET failed: $equal"
}

keys=0 found=0
count() { # adds to `keys` those of the parts so far that have not expired, to `found` those of the target
    local there now second number
    there=$(total)
    [[ $there =~ ^[0-9]+$ ]] || die "$there"
    found=$((found + there))
    now=$(date +%s)
    while read -r second number; do
        [ "$second" -le "$now" ] || keys=$((keys + number))
    done <"$WORK/lifetimes"
    : >"$WORK/lifetimes"
}

if [ -n "$POINT_IN_TIME" ]; then
    . /scripts/point-in-time.sh
else
    . /scripts/snapshot.sh
fi
PORT=6379
if [ "$MODE" = drill ]; then
    TARGET=127.0.0.1
    PORT=7001
    serve target "$port" "$PORT" --bind "$TARGET" \
        --dbfilename none.rdb --requirepass "$REDISCLI_AUTH"
fi
reach "$TARGET"
find_holders "$TARGET"
# What cannot be loaded is noticed before anything is emptied. The first one is then loaded already.
for part in $(seq "$parts" -1 1); do
    load "$part"
    # Only a replicated tier may have used more.
    [ "$(hosts | wc -l)" = 1 ] || [ "$(databases | tail -n 1 | grep . || echo 0)" = 0 ] ||
        die "$TARGET is a cluster and has one database: what was backed up has $(databases | wc -l)"
done
refused=0
if [ "$MODE" = replace ]; then
    empty
elif there=$(total) && [ "$there" != 0 ]; then
    die "$TARGET holds $there keys: restore into an empty tier, or set mode: replace and confirm it"
fi

sampled=0 different=0 most=0
: >"$WORK/lifetimes"
for part in $(seq 1 "$parts"); do
    load "$part"
    for db in $(databases); do
        size=$(own -n "$db" dbsize)
        most=$((most + size))
        own -n "$db" --raw eval "$(cat /scripts/lifetimes.lua)" 0 >>"$WORK/lifetimes"
        copy "$db"
        # About a thousand keys, always the same ones.
        step=$((size / 1000 + 1))
        own -n "$db" --raw eval "$(cat /scripts/digest.lua /scripts/sample.lua)" 0 "$step" >"$WORK/sample"
        chosen=$(grep -c . "$WORK/sample" || true)
        at_rest compare "$db"
        sampled=$((sampled + chosen)) different=$((different + chosen - equal))
    done
    if [ "$MODE" = drill ]; then
        count
        empty # so that it never holds more than one part
    fi
done
[ "$MODE" = drill ] || count
result "$(printf '"snapshot":"%s","bytes":%s,"keys":%s,"found":%s,"sampled":%s,"different":%s' \
    "${snapshot:0:8}" "$bytes" "$keys" "$found" "$sampled" "$different")"
# Some may have expired while others were copied.
if [ "$found" -lt "$keys" ] || [ "$found" -gt "$most" ] || [ "$different" != 0 ]; then
    exit 1
fi
