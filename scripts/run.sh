#!/bin/sh
# Prepares this machine and runs one of the project's tasks: sh scripts/run.sh TASK [options of the task]
#
# Needs a POSIX shell, any Node.js that runs npm, and Linux on x64 or arm64 with glibc. The tasks themselves run on the
# Node.js that npm installs here, as root in network namespaces of their own (scripts/setup/isolate.ts), so that nothing
# of the machine's own network is touched and nothing outlives the task.
set -eu

task=${1:?"usage: sh scripts/run.sh tour|test|bench|fuzz [options]"}
shift
cd "$(dirname "$0")/.."
root=$(pwd -P)
# Debian keeps administration tools out of the PATH of ordinary users.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

say() { printf '%s\n' "$*" >&2; }

# npm starts this through a shell of its own. If npm is killed, that shell and this one are left, and nobody waits for them.
starter() { sed 's/^.*) [A-Z] \([0-9]*\) .*/\1/' "/proc/$PPID/stat" 2>/dev/null || true; }
started_by=$(starter)

# Every run of the tests ends with the count, a run that could not start included.
fail() {
  say "error: $*"
  [ "$task" != test ] || printf '0 passed, 1 failed\n'
  exit 1
}

# --- the machine ---

[ "$(uname -s)" = Linux ] ||
  fail "this is $(uname -s); the mesh needs Linux network namespaces. Use a Linux machine, a virtual machine or a container."
case "$(uname -m)" in
  x86_64) cpu=x64 ;;
  aarch64 | arm64) cpu=arm64 ;;
  *) fail "unsupported processor $(uname -m); x64 (x86_64) and arm64 (aarch64) are supported." ;;
esac
case "$(ldd --version 2>&1 || true)" in
  *musl*) fail "this system's C library is musl (Alpine?); Node.js and koffi are used as built for glibc. Use a Debian or Ubuntu based system or image." ;;
esac

# --- npm packages ---

# npm puts node_modules/.bin first in PATH, and the `node` there is the one being installed, or one that lacks a
# library as yet. What prepares the machine runs on the machine's own Node.js.
own_path=$(printf '%s' "$PATH" | tr ':' '\n' | grep -vxF "$root/node_modules/.bin" | tr '\n' ':')
own_node=${npm_node_execpath:-}
[ -n "$own_node" ] && [ -x "$own_node" ] || own_node=$(PATH=$own_path command -v node || true)
[ -n "$own_node" ] || fail "no Node.js found. Install any version from 18 on, with npm: apt-get install nodejs npm"

# Replaces the process, so that the one in the background is npm itself.
become_npm() {
  PATH=$own_path
  export PATH
  case "${npm_execpath:-}" in
    */npm-cli.js) exec "$own_node" "$npm_execpath" "$@" ;;
    *) exec npm "$@" ;;
  esac
}

installed() { "$own_node" scripts/setup/installed.js "$cpu"; }

# npm takes what a full disk has left of a file for the file, and says that all went well.
demand_space() {
  free=$(df -Pk . 2>/dev/null | awk 'NR == 2 { print $4 }')
  used=$(du -sk node_modules 2>/dev/null | awk '{ print $1 }') # npm removes it first
  case $free in '' | *[!0-9]*) return ;; esac
  [ $((free + ${used:-0})) -ge 450000 ] ||
    fail "the disk of $root is too full: $((free / 1000)) MB are free, the npm packages take 430 MB there, and in npm's cache 150 MB more."
}

install_packages() {
  # One at a time. An npm that a kill has left behind holds the lock until it ends.
  if command -v flock >/dev/null 2>&1; then
    exec 9<package-lock.json
    if ! flock --nonblock 9; then
      say "waiting for another installation of the npm packages to end ..."
      flock 9
    fi
    if installed; then return; fi
  fi
  demand_space
  say "installing npm packages (150 MB to download, 430 MB on the disk) ..."
  # npm puts signals off until it has unpacked everything. In the background it gets none from the terminal, and can be
  # killed: the next start sees an installation that broke off, and installs anew.
  # Kinds of packages are named, because NODE_ENV=production and npm's own omit setting would leave some out.
  become_npm ci --include=dev --include=optional --no-audit --no-fund --no-progress --loglevel=error >&2 &
  npm=$!
  for signal in INT TERM HUP; do
    # shellcheck disable=SC2064 # the signal of this turn is meant
    trap "stop_installation $signal" "$signal"
  done
  wait "$npm" ||
    fail "npm could not install the packages (its own message is above). Check the network, the registry in 'npm config get registry', that $root/node_modules is writable, and that 700 MB are free there and in npm's cache."
  trap - INT TERM HUP
}

stop_installation() {
  kill -KILL "$npm" 2>/dev/null || true
  say "the installation of the npm packages was broken off; the next start begins it anew."
  trap - "$1"
  kill "-$1" $$
}

installed || install_packages
exec 9<&-

node=$root/node_modules/node-linux-$cpu/bin/node
[ -e "$node" ] ||
  fail "npm installed no node-linux-$cpu. Optional packages are needed: try 'npm ci --include=optional', and check that the registry has node-linux-$cpu."
# npm 9 and 10 install the package, but forget to link its command.
if [ ! -x node_modules/.bin/node ]; then
  chmod +x "$node"
  ln -sf "../node-linux-$cpu/bin/node" node_modules/.bin/node
fi

# --- system packages ---

# Installs what is missing; what apt-get says goes to a file. A fresh machine may be at its own updates: waits for them.
install_system_packages() {
  export DEBIAN_FRONTEND=noninteractive
  set -- -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 install --no-install-recommends $missing
  apt-get -q -o DPkg::Lock::Timeout=300 update >"$apt_log" 2>&1 ||
    say "warning: apt-get update failed; trying with the package lists at hand."
  apt-get --download-only "$@" >>"$apt_log" 2>&1 || return
  # Ctrl-C is for the download: dpkg, stopped half-way, would have to be mended by hand.
  setsid --wait apt-get "$@" >>"$apt_log" 2>&1
}

missing=
# need COMMAND PACKAGE
need() {
  command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need unshare util-linux
need mount mount
need ip iproute2
need nft nftables
case $task in test | bench) need openssl openssl ;; esac
# The rules that the node agent sets are tested with every tool that it can set them by.
case $task in test) need iptables-legacy iptables && need ipset ipset ;; esac
services=
# The benchmarks of the control plane and of a node compare with nobody.
if [ "$task" = bench ] && [ "${1:-}" != control-plane ] && [ "${1:-}" != node ]; then
  need iperf3 iperf3
  need wrk wrk
  before=$missing
  need haproxy haproxy
  need nginx nginx-light
  [ "$missing" = "$before" ] || services=yes
fi
for library in $(ldd "$node" 2>/dev/null | sed -n 's/^[[:space:]]*\([^ ]*\) => not found.*/\1/p'); do
  case $library in
    libatomic.so.1) missing="$missing libatomic1" ;;
    libstdc++.so.6) missing="$missing libstdc++6" ;;
    libgcc_s.so.1) missing="$missing libgcc-s1" ;;
    *) fail "Node.js needs the library $library, which this system has not." ;;
  esac
done

if [ -n "$missing" ]; then
  missing=${missing# }
  if ! command -v apt-get >/dev/null 2>&1; then
    fail "missing system packages (Debian's names): $missing. Install them with this system's package manager, and run again."
  elif [ "$(id -u)" -ne 0 ]; then
    fail "missing system packages. Run:  sudo apt-get update && sudo apt-get install --yes $missing"
  elif [ -n "$services" ]; then
    # On a machine with an init system these two start a server as soon as they are installed.
    fail "the benchmark compares with other servers, which are not installed behind your back. Run:  apt-get install --no-install-recommends $missing"
  fi
  say "installing system packages: $missing ..."
  apt_log=$(mktemp) || fail "no temporary file can be made in ${TMPDIR:-/tmp}: is the disk full?"
  for signal in INT TERM HUP; do
    # shellcheck disable=SC2064 # as above
    trap "rm -f '$apt_log'; trap - $signal; kill -$signal $$" "$signal"
  done
  install_system_packages || {
    cat "$apt_log" >&2
    rm -f "$apt_log"
    fail "apt-get could not install: $missing (its own message is above)."
  }
  rm -f "$apt_log"
  trap - INT TERM HUP
fi

version=$("$node" --version 2>&1) || fail "$node does not run here (${version:-it broke off at once}). It needs glibc 2.28 or newer (Debian 10, Ubuntu 20.04). If this system has that, its file is damaged: remove $root/node_modules, and run again."

# Of an npm that has been killed meanwhile, nobody looks at what follows.
if [ -n "${npm_lifecycle_event:-}" ] && [ "$(starter)" != "$started_by" ]; then exit 1; fi

PATH=$root/node_modules/.bin:$own_path
export PATH
exec "$node" --disable-warning=ExperimentalWarning scripts/setup/isolate.ts "$task" "$@"
