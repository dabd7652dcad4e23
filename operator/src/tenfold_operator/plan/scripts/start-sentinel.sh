#!/bin/sh
# Starts this Sentinel with what it knew when it ended. The first time it takes up the primary
# that the other Sentinels name, or else the only server that says it is one; it waits while there
# is none, or more than one. TIER, POD, NODES and SENTINELS come from the pod.
set -eu
trap exit TERM # a shell that is process 1 would ignore it
. /config/ask.sh

conf=/data/sentinel.conf # Sentinel writes its state into it
me="$POD.$SENTINELS"
state=$(grep -E '^sentinel (monitor|known-[a-z]*|[a-z]*-epoch) ' "$conf" 2>/dev/null || true)

while [ -z "$state" ]; do
    named=$(sentinel_answers | sort -u)
    [ -n "$named" ] || named=$(masters)
    # One that is being replaced just now would leave this Sentinel alone: through its servers the
    # Sentinels find each other.
    if [ "$(echo "$named" | grep -c .)" = 1 ] && [ "$(role_of "$named")" = master ]; then
        state="sentinel monitor $TIER $named 6379 2"
    else
        say "waiting for one primary; named are: ${named:-none}"
        sleep 1
    fi
done

# When everything ended together the primary comes back in a moment: a failover begun before that
# would only take longer. If it does not, the failover begins after the wait.
primary=$(echo "$state" | sed -n 's/^sentinel monitor [^ ]* \([^ ]*\) .*/\1/p')
waited=0
while [ "$waited" -lt 15 ] && [ "$(role_of "$primary")" != master ] && [ -z "$(sentinel_answers)" ]; do
    say "waiting for $primary or another Sentinel"
    sleep 1
    waited=$((waited + 1))
done

umask 077
{
    cat /config/sentinel.conf
    # The same identity on a new volume too, or the others would count one Sentinel twice.
    echo "sentinel myid $(echo "$me" | sha1sum | cut -c 1-40)"
    echo "sentinel announce-ip $me"
    printf '%s "%s"\n' requirepass "$REDISCLI_AUTH" "sentinel sentinel-pass" "$REDISCLI_AUTH"
    echo "$state"
    printf '%s "%s"\n' "sentinel auth-pass $TIER" "$REDISCLI_AUTH"
    cat /config/timers.conf
} >"$conf.new"
mv "$conf.new" "$conf"
echo "start: monitoring $primary"
exec redis-sentinel "$conf"
