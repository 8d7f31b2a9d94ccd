#!/usr/bin/env bash
# Makes .venv with everything Newsmill needs, as pinned in requirements.lock; does nothing where that is done. `make setup` calls it.
# PYTHON: which Python to use, where it fits. WITH=distributed: also what requirements-distributed.lock names, for a cluster;
# WITH=notebook: requirements-notebook.lock, for examples/notebook.py.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

log=.venv/install.log
unfinished=.venv/unfinished

say() { printf '%s\n' "$*"; }

refuse() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

find_python() {
    local name
    for name in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
        if fits "$name"; then
            say "$name"
            return
        fi
    done
    name="${PYTHON:-python3}"
    refuse "Newsmill needs Python 3.11, 3.12 or 3.13, and $name is $(command -v "$name" >/dev/null && "$name" --version 2>&1 || echo "not to be found")." \
        "Install one of them (Debian and Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python@3.13)," \
        "or name the one you have: make setup PYTHON=/path/to/python3.12"
}

make_venv() {
    local python="$1"
    rm -rf .venv
    mkdir .venv
    touch "$unfinished"
    if ! "$python" -m venv .venv >"$log" 2>&1; then
        tail -5 "$log" >&2
        refuse "$python cannot make a virtual environment." "Debian and Ubuntu keep that apart: sudo apt install python3-venv"
    fi
}

# A line now and then, so that a slow connection does not look like a hang.
progress() {
    awk -v total="$(grep -c '^[a-z0-9].*==' requirements.lock)" '
        /^Collecting/ { if (++n % 20 == 0) { printf "  %d of at most %d packages fetched\n", n, total; fflush() } }
        /^Installing collected/ { print "  unpacking"; fflush() }'
}

pip() {
    if ! .venv/bin/python -m pip install --disable-pip-version-check --no-input "$@" 2>&1 | tee -a "$log" | progress; then
        tail -5 "$log" >&2
        explain
    fi
}

explain() {
    if grep -qiE 'no space left' "$log"; then
        refuse "the disk is full: Newsmill's environment needs about 700 MB, and as much again while it is made."
    elif grep -qiE 'connection|resolution|proxy|timed out|unreachable|ssl|from versions: none|retrying' "$log"; then
        refuse "pip could not fetch a package; what it says is above, all of it in $log." \
            "Is there a network? Behind a proxy: export HTTPS_PROXY=http://proxy:port; with an index of your own: export PIP_INDEX_URL=…" \
            "Then again: make setup"
    fi
    refuse "pip failed; what it says is above, all of it in $log. Then again: make setup"
}

add_extra() {
    local lock="requirements-$1.lock"
    local stamp="$2 $(cksum <"$lock")"
    if [ "$(cat ".venv/done-$1" 2>/dev/null)" != "$stamp" ]; then
        say "installing what $lock names"
        pip --no-deps --require-hashes -r "$lock"
        say "$stamp" >".venv/done-$1"
    fi
}

finish() {
    case "${WITH:-}" in
        "") ;;
        distributed | notebook) add_extra "$WITH" "$stamp" ;;
        *) refuse "WITH=$WITH names nothing; there are WITH=distributed and WITH=notebook, or leave it out." ;;
    esac
    exit 0
}

stamp="$(cat requirements.lock pyproject.toml | cksum) $PWD" # the checkout's path is written into the environment
if [ -f .venv/done ] && [ "$(cat .venv/done)" = "$stamp" ] && .venv/bin/python -c '' 2>/dev/null; then
    finish
fi
python="$(find_python)"
if [ -f "$unfinished" ] || ! fits .venv/bin/python || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    say "making .venv with $("$python" --version)"
    make_venv "$python"
fi
touch "$unfinished"
: >"$log"
say "installing what requirements.lock names; the first time that may fetch 250 MB"
pip --no-deps --require-hashes -r requirements.lock
pip --no-deps --no-build-isolation -e .
say "$stamp" >.venv/done
rm "$unfinished"
say "ready: .venv"
finish
