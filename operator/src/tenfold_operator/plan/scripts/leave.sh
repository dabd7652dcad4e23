#!/bin/sh
# Before this server ends: as long as it is the primary of connected replicas, the operator is about
# to hand over. The last one of a tier that goes ends at once.
. /config/ask.sh
waited=0
while [ "$waited" -lt 80 ]; do
    state=$(timeout 1 $cli --raw info replication 2>/dev/null)
    echo "$state" | grep -q '^role:master' || break
    echo "$state" | grep -q '^connected_slaves:[1-9]' || exit 0
    sleep 0.25
    waited=$((waited + 1))
done
# Clients that come here by a Service go on until it has moved everywhere. So also where this server
# is a replica already: it may have been the primary until a moment ago, before this hook ran.
sleep 2
