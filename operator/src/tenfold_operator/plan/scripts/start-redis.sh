#!/bin/sh
# Starts this Redis server in the role that the Sentinels give it; it never gives itself one
# while they can be asked, and takes no write before they name it.
#
# TIER, POD, NODES (domain of the servers) and SENTINELS (domain of the Sentinels) come from the pod.
# /config and /auth are mounted; /data is the server's volume.
set -eu
trap exit TERM # a shell that is process 1 would ignore it
. /config/ask.sh

conf=/data/redis.conf # Redis rewrites it when its role changes, so it tells the last role.
me="$POD.$NODES"
# The operator has Redis write down the users that it made; the Secret has the default one's password.
users=$(sed -n '/^user default /d; /^user /p' "$conf" 2>/dev/null || true)
previous=$(sed -n 's/^replicaof \([^ ]*\) .*/\1/p' "$conf" 2>/dev/null | tail -n 1)

start() { # start [PRIMARY]: as a replica of PRIMARY, or as the primary
    umask 077
    {
        cat /config/redis.conf /config/live.conf
        echo "replica-announce-ip $me"
        printf '%s "%s"\n' requirepass "$REDISCLI_AUTH" masterauth "$REDISCLI_AUTH"
        printf '%s\n' "$users"
        if [ -n "${1:-}" ]; then
            echo "replicaof $1 6379"
        else
            echo "min-replicas-to-write 99" # until confirmed
        fi
    } >"$conf"
    [ -n "${1:-}" ] || confirm &
    echo "start: ${1:+replica of }${1:-primary}"
    exec redis-server "$conf"
}

confirm() { # lets writes in when the Sentinels have named this server, and no other, for 2 seconds
    calm=0
    while [ "$calm" -lt 2 ]; do
        sleep 1
        calm=$((calm + 1))
        # A failover that had begun before this server was back would take its writes away.
        [ "$(agreed)" = "$me" ] && ! is_failing_over || calm=0
        [ "$(role_of 127.0.0.1)" != slave ] || break
    done
    $cli config set min-replicas-to-write 1 >/dev/null
}

has_survivor() { # whether a server answers that may know more than this one: it has run since before
    # this one ended, or has followed a primary since it started (its offset is 1 until then)
    for n in 0 1 2 3 4 5; do
        host="$TIER-$n.$NODES"
        [ "$host" != "$me" ] || continue
        info=$(timeout 1 $cli -h "$host" --raw info server replication 2>/dev/null | tr -d '\r')
        uptime=$(echo "$info" | sed -n 's/^uptime_in_seconds://p')
        offset=$(echo "$info" | sed -n 's/^slave_repl_offset://p')
        [ "${uptime:-0}" -le $((waited + 5)) ] || return 0
        [ "${offset:-0}" -le 1 ] || return 0
    done
    return 1
}

waited=0
while :; do
    primary=$(agreed)
    if [ -n "$primary" ] && [ "$primary" != "$me" ]; then
        start "$primary"
    elif [ "$primary" = "$me" ] && [ -e /data/appendonlydir ] && ! has_survivor; then
        # All servers ended together: nobody knows more than the primary's own log.
        start
    elif [ "$primary" = "$me" ] && [ "$waited" -ge "$(cat /config/hold)" ] && has_data; then
        # No replica could take over for so long: what is on this volume is the best there is.
        start
    elif [ "$primary" = "$me" ]; then
        # Restarted as the primary. Its replicas may know more than this volume, and would be
        # wiped by an empty one: let the Sentinels notice, and follow whom they promote.
        say "the Sentinels still name me: waiting until they promote a replica"
    elif [ ! -f "$conf" ]; then
        # First start. Only the pod that the operator names may begin a data set.
        [ "$(cat /config/seed)" != "$POD" ] || start
        say "waiting for a primary"
    elif [ -n "$(sentinel_answers)" ]; then
        say "waiting for a majority of the Sentinels"
    elif [ "$waited" -ge 5 ]; then
        # No Sentinel answers at all: everybody takes up the role that he had.
        start "$previous"
    fi
    sleep 1
    waited=$((waited + 1))
done
