# shellcheck shell=bash disable=SC2034
# What the scripts share. Sourced; expects `set -euo pipefail`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
local_dir=$root/.local
venv=$local_dir/venv
cd "$root" || exit 1
export PYTHONPATH=$root
umask 077 # what is made here is for its owner alone

say() { printf '  %s\n' "$*"; }

fail() {
  printf 'script/%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

check_system() {
  local name=unknown
  if [[ -r /etc/os-release ]]; then
    name=$(. /etc/os-release && printf '%s %s' "${ID:-unknown}" "${VERSION_ID:-}")
  fi
  case $name in
    'debian 12' | 'ubuntu 24.04') ;;
    *) fail "this is \"$name\"; supported are Debian 12 and Ubuntu 24.04 (a container of one of them will do)" ;;
  esac
}

# The first Python that is new enough, into $python. The system's own goes first: it is mended with the system, and one
# that was compiled without profiles, as pyenv does by itself, is a fifth slower.
find_python() {
  local candidate
  for candidate in "${PYTHON:-/usr/bin/python3}" python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      python=$(command -v "$candidate")
      return
    fi
  done
  fail 'Python 3.11 or newer is missing: install python3, or name one, for example PYTHON=/usr/bin/python3.11'
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "system packages are missing and there is no sudo: run once as root: script/system_packages ${*:2}"
  fi
}

# The fingerprint of some files and words, to know whether something is still up to date.
fingerprint() {
  local file
  {
    for file in "$@"; do
      if [[ -f $file ]]; then cat "$file"; else printf '%s\n' "$file"; fi
    done
  } | sha256sum | cut -c 1-64
}

# stale FILE FINGERPRINT: whether the step that writes FILE last ran for something else.
stale() { [[ ! -f $1 || $(<"$1") != "$2" ]]; }

# Run with the output in a log; show the end of it when it fails.
logged() {
  local log=$local_dir/log/$1.log
  shift
  mkdir -p "$local_dir/log"
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 25 "$log" >&2
    fail "this failed: $* (all of it: $log)"
  fi
}
