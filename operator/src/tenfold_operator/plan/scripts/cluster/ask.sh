# Questions to this server and to the others of its shard; read by the other scripts.
REDISCLI_AUTH=$(cat /auth/password)
export REDISCLI_AUTH
cli=redis-cli
[ ! -e /tls/ca.crt ] || cli="redis-cli --tls --cacert /tls/ca.crt"

say() { # once for each message
    [ "${said:-}" = "$1" ] || echo "$1"
    said=$1
}

replication_of() { # replication_of HOST: what it says of its role and its connections
    timeout 1 $cli -h "$1" --raw info replication 2>/dev/null | tr -d '\r'
}

holds_slots() { # holds_slots: whether the nodes in the input name this one as a holder of slots
    grep -q 'myself,master .* connected [0-9]'
}
