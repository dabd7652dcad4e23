# What a backup and a restore share.
REDISCLI_AUTH=$(cat /auth/password)
export REDISCLI_AUTH
cli=(redis-cli)
[ ! -e /tls/ca.crt ] || cli+=(--tls --cacert /tls/ca.crt)
WORK=$(mktemp -d /scratch/XXXXXX)
export TMPDIR=$WORK # nothing else can be written to
began=$(date +%s%N)

result() { # result FIELDS: what the operator reads when the container has ended
    local seconds=$((($(date +%s%N) - began) / 10000000))
    printf '{%s,"seconds":%d.%02d}' "$1" $((seconds / 100)) $((seconds % 100)) |
        tee "${RESULT:-/dev/termination-log}"
}

die() { # die MESSAGE
    echo "$1" >&2
    result "\"error\":\"${1//\"/}\""
    exit 1
}

field() { # field NAME: the text of the first such field of a JSON document
    grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4
}

number() { # number NAME: the same for a number
    grep -o "\"$1\":[0-9]*" | head -n 1 | cut -d : -f 2
}

sum() { # the sum of the numbers in the input, a line each
    local total=0 each
    while read -r each; do
        [[ $each =~ ^[0-9]+$ ]] || { echo "$each" && return; }
        total=$((total + each))
    done
    echo "$total"
}

key_count() { # key_count COMMAND...: the keys of all databases of the server that it speaks with
    "$@" --raw info keyspace | sed -n 's/.*keys=\([0-9]*\).*/\1/p' | sum
}

trap 'die "$0 failed at line $LINENO"' ERR
