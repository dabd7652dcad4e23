#!/bin/sh
# Starts this Sentinel with the primary that the other Sentinels name, or else with the only
# server that says it is one. It waits while there is none, or more than one.
set -eu
trap exit TERM # a shell that is process 1 would ignore it
. /config/ask.sh

conf=/run/sentinel/sentinel.conf # survives a restart of the container, not of the pod
me="$POD.$SENTINELS"

if [ ! -f "$conf" ]; then
    while :; do
        known=$(sentinel_answers | sort -u)
        [ -n "$known" ] || known=$(masters)
        [ "$(echo "$known" | grep -c .)" != 1 ] || break
        say "waiting for one primary, known are: ${known:-none}"
        sleep 1
    done
    umask 077
    {
        cat /config/sentinel.conf
        # The same identity after each restart, or the others would count one Sentinel twice.
        echo "sentinel myid $(echo "$me" | sha1sum | cut -c 1-40)"
        echo "sentinel announce-ip $me"
        printf '%s "%s"\n' requirepass "$REDISCLI_AUTH" "sentinel sentinel-pass" "$REDISCLI_AUTH"
        echo "sentinel monitor $TIER $known 6379 2"
        printf '%s "%s"\n' "sentinel auth-pass $TIER" "$REDISCLI_AUTH"
        cat /config/timers.conf # belongs after the primary that it speaks of
    } >"$conf.new"
    mv "$conf.new" "$conf"
    echo "start: monitoring $known"
fi
exec redis-sentinel "$conf"
