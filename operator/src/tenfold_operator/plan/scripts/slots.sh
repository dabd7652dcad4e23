# Who holds which slots of a tier. Its keys are spread over several servers where it is a cluster, and
# otherwise all at one: a replicated tier is a cluster of one shard, whose holder moves no slot.
SLOTS=16384
held='' # what find_holders has found: HOST FIRST LAST, a line for each range of slots
asked='' # the host that it asked

ask() { # ask HOST COMMAND...: what a server answers within some seconds
    local host=$1
    shift
    timeout 5 "${cli[@]}" -h "$host" -p "${PORT:-6379}" --raw "$@" 2>/dev/null
}

reach() { # reach HOST
    # A network plugin lets a new pod through some seconds after its start.
    until [ "$(ask "$1" ping || true)" = PONG ]; do
        [ "$SECONDS" -lt 30 ] || die "$1 does not answer"
        sleep 1
    done
}

ranges() { # of the nodes in the input, those that hold slots; a slot that is being moved has a bracket
    local address slots each host
    while read -r _ address _ _ _ _ _ _ slots; do
        host=${address##*,} # it has a name behind a comma, or none
        [ "$host" != "$address" ] && [ -n "$host" ] || host=${address%:*}
        for each in $slots; do
            echo "$host ${each%-*} ${each#*-}"
        done
    done | sort
}

hosts() { # those that hold slots
    cut -d ' ' -f 1 <<<"$held" | sort -u
}

count_slots() { # of the ranges in the input
    local _ first last
    while read -r _ first last; do
        echo $((last - first + 1))
    done | sum
}

agreed() { # agreed HOST: the ranges, when all that hold some say the same and move none; or why not
    local found seen host kind
    kind=$(ask "$1" info cluster) || kind=''
    case $kind in
    *cluster_enabled:0*) echo "$1 0 $((SLOTS - 1))" && return ;;
    *cluster_enabled:1*) ;;
    *) echo "it does not answer" && return 1 ;;
    esac
    found=$({ ask "$1" cluster nodes || true; } | ranges)
    for host in $(held=$found hosts); do
        # Who moves a slot says so in its own line, and nobody else does.
        seen=$({ ask "$host" cluster nodes || true; } | ranges)
        [ -n "$seen" ] || { echo "$host does not answer" && return 1; }
        [ "$seen" = "$found" ] || { echo "slots are being moved" && return 1; }
    done
    [ "$(count_slots <<<"$found")" = "$SLOTS" ] || { echo "there are slots that nobody holds" && return 1; }
    echo "$found"
}

find_holders() { # find_holders HOST: waits until the tier there is at rest, and sets `held`
    local deadline=$((SECONDS + ${PATIENCE_SECONDS:-600}))
    asked=$1
    until held=$(agreed "$1"); do
        [ "$SECONDS" -lt "$deadline" ] || die "$1: $held; try again when the tier is Ready and Balanced"
        sleep 1
    done
}

at_rest() { # at_rest COMMAND...: runs it, and again until no slot was moved meanwhile
    local before
    for _ in 1 2 3 4 5; do
        before=$held
        "$@"
        find_holders "$asked"
        [ "$held" != "$before" ] || return 0
    done
    die "$asked: slots were moved again and again: try again when the tier is Balanced"
}
