#!/bin/sh
# First process in the namespaces of a lab: takes in the processes that lose their parents, and ends when the lab does. The
# end of the first process of a process namespace is the end of all others.
set -u

ip link set lo up
"$@" &
lab=$!
trap : INT HUP
trap 'kill -TERM "$lab" 2>/dev/null' TERM
status=0
while :; do
  status=0
  wait "$lab" || status=$?
  kill -0 "$lab" 2>/dev/null || break
done
exit "$status"
