#!/bin/sh
# Ready: a primary or a connected replica, in a cluster that serves.
. /config/ask.sh
$cli --raw role | sed -n '1p;4p' | grep -qx -e master -e connected &&
    $cli --raw cluster info | grep -q '^cluster_state:ok'
