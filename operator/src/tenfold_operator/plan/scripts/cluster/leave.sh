#!/bin/sh
# Before this server ends: a primary of slots has a replica take over without losing a write
# (CLUSTER FAILOVER on the replica). One that has no replica ends at once.
. /config/ask.sh
waited=0
while [ "$waited" -lt 40 ]; do
    state=$(replication_of 127.0.0.1)
    echo "$state" | grep -q '^role:master' || break
    $cli cluster nodes | holds_slots || exit 0
    replica=$(echo "$state" | sed -n 's/^slave[0-9]*:ip=\([^,]*\),.*state=online.*/\1/p' | head -n 1)
    [ -n "$replica" ] || exit 0
    # It is not asked anew while it is at it: that would begin it again.
    [ $((waited % 10)) -ne 0 ] || timeout 1 $cli -h "$replica" cluster failover
    sleep 0.25
    waited=$((waited + 1))
done
# Clients that still come here are told where the slots are now, also where this server became a
# replica before this hook ran.
sleep 2
