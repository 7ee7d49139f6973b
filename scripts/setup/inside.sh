#!/bin/sh
# First process inside the namespaces that isolate.ts makes: prepares them, runs the given command, and ends when it ends.
# File descriptor 4 is a pipe that the outside holds open: at its end (the outside was told to stop, or died) the command
# is asked to stop, and killed if it does not.
set -eu

grace_seconds=15

# `ip netns` keeps its namespaces under /run, the iptables lock is there as well; an own /run leaves no trace behind.
mount -t tmpfs -o mode=755 tmpfs /run
[ -L /var/run ] || mount --bind /run /var/run
ip link set lo up
unset XDG_RUNTIME_DIR

# In the background, so that this shell can answer the pipe; with the terminal's input, which a shell takes away there.
exec 3<&0
"$@" <&3 3<&- 4<&- &
command=$!
exec 3<&-
{
  read -r _ <&4 || true
  kill -TERM "$command" 2>/dev/null || true
  sleep "$grace_seconds"
  kill -KILL "$command" 2>/dev/null || true
} </dev/null >/dev/null 2>&1 &
watcher=$!
exec 4<&-

# A Ctrl-C reaches the command from the terminal; it decides what to do.
trap : INT HUP TERM
status=0
while :; do
  status=0
  wait "$command" || status=$?
  kill -0 "$command" 2>/dev/null || break
done
kill "$watcher" 2>/dev/null || true
# The first process of a process namespace takes all others with it.
exit "$status"
