# Questions to the Sentinels and to the servers; read by the other scripts.
REDISCLI_AUTH=$(cat /auth/password)
export REDISCLI_AUTH
cli=redis-cli
[ ! -e /tls/ca.crt ] || cli="redis-cli --tls --cacert /tls/ca.crt"

say() { # once for each message
    [ "${said:-}" = "$1" ] || echo "$1"
    said=$1
}

ask_sentinels() { # ask_sentinels SUBCOMMAND: all their answers to it about this tier
    for n in 0 1 2; do
        timeout 1 $cli -h "$TIER-sentinel-$n.$SENTINELS" -p 26379 --raw \
            sentinel "$1" "$TIER" 2>/dev/null &
    done
    wait
}

sentinel_answers() { # a line with a host name for each Sentinel that names a primary
    ask_sentinels get-master-addr-by-name | grep "^$TIER-[0-9]*\.$NODES$" || true
}

agreed() { # the primary that two of the three Sentinels name
    sentinel_answers | sort | uniq -c | sed -n 's/^ *[23] //p'
}

is_failing_over() { # whether a Sentinel holds the primary for down, or replaces it just now
    ask_sentinels master | grep -q -e '^[a-z_,]*[so]_down' -e '^[a-z_,]*failover_in_progress'
}

role_of() { # role_of HOST: master, slave, or nothing when it does not answer
    timeout 1 $cli -h "$1" --raw role 2>/dev/null | head -n 1
}

masters() { # a line with the host name of each server that says it is a primary
    for n in 0 1 2 3 4 5; do
        host="$TIER-$n.$NODES"
        [ "$(role_of "$host")" != master ] || echo "$host"
    done
}

has_data() {
    [ -e /data/appendonlydir ] || [ -e /data/dump.rdb ]
}
