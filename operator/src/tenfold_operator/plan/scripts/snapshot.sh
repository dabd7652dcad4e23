# Fetches SNAPSHOT and proves it by its checksum. It holds an RDB file for each shard of what was backed
# up, one behind the other. A part of restore.sh; sets `snapshot`, `bytes` and `parts`, how many there are.
recorded() { # recorded NAME: what the backup noted of the snapshot
    restic snapshots --json "$snapshot" | grep -o "\"$1=[^\"]*\"" | head -n 1 | tr -d '"' | cut -d = -f 2
}

cut_up() { # cut_up SIZE...: the input into files of these sizes; the last one has all that is left
    local number
    for number in $(seq 1 $(($# - 1))); do
        head -c "${!number}" >"$WORK/$number.rdb"
    done
    cat >"$WORK/$#.rdb"
}

begin() { # begin PART: starts `own` with it
    serve own --port 0 --dbfilename "$1.rdb"
}

snapshot=$SNAPSHOT
if [ "$snapshot" = latest ]; then
    snapshot=$(restic snapshots --json --host "$TIER" --tag "$LABEL" --latest 1 --group-by host | field id)
fi
[ -n "$snapshot" ] || die "the repository has no snapshot of $LABEL"
# A snapshot of before there were clusters says nothing of parts: it has one.
IFS=+ read -r -a sizes < <(recorded parts || echo all)
parts=${#sizes[@]}
mkfifo "$WORK/copy"
sha256sum <"$WORK/copy" >"$WORK/sum" &
hashing=$!
restic dump "$snapshot" dump.rdb | tee "$WORK/copy" | cut_up "${sizes[@]}" ||
    die "snapshot $snapshot cannot be read"
wait "$hashing"
bytes=$(stat -c %s "$WORK"/*.rdb | sum)
if [ "$(cut -c 1-64 "$WORK/sum")" != "$(recorded sha256)" ]; then
    die "snapshot $snapshot is not what was backed up: its checksum differs"
fi
