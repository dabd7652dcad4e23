#!/bin/sh
# Ready: a primary that answers, or a replica that is connected to its primary.
. /config/ask.sh
$cli --raw role | sed -n '1p;4p' | grep -qx -e master -e connected
