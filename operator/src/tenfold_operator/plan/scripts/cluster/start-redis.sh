#!/bin/sh
# Starts this server of a Redis Cluster with what it knew when it ended.
#
# TIER, SHARD (how its pods are called), POD, NODES (domain of the servers) and ADDRESS come from
# the pod. /config and /auth are mounted; /data is the server's volume.
set -eu
trap exit TERM # a shell that is process 1 would ignore it
. /config/ask.sh

is_missed() { # whether a replica waits for this server, and may soon be promoted in its place
    for n in 0 1 2 3 4 5; do
        host="$SHARD-$n.$NODES"
        [ "$SHARD-$n" != "$POD" ] || continue
        state=$(replication_of "$host") || continue
        echo "$state" | grep -q '^role:slave' || continue
        echo "$state" | grep -q '^master_link_status:down' || continue
        return 0
    done
    return 1
}

# Its replicas may know more than this volume, and would have to begin anew with what is on it.
waited=0
if holds_slots </data/nodes.conf 2>/dev/null; then
    while [ "$waited" -lt "$(cat /config/hold)" ] && is_missed; do
        say "a replica waits for this server: waiting until it is promoted"
        sleep 1
        waited=$((waited + 1))
    done
fi

# The operator has Redis write down the users that it made; the Secret has the default one's password.
users=$(sed -n '/^user default /d; /^user /p' /data/redis.conf 2>/dev/null || true)
umask 077
{
    cat /config/redis.conf /config/live.conf
    echo "cluster-announce-ip $ADDRESS"
    echo "cluster-announce-hostname $POD.$NODES"
    echo "replica-announce-ip $POD.$NODES"
    printf '%s "%s"\n' requirepass "$REDISCLI_AUTH" masterauth "$REDISCLI_AUTH"
    printf '%s\n' "$users"
} >/data/redis.conf
exec redis-server /data/redis.conf
