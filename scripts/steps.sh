# What the scripts share: steps that are announced, what is installed, servers under test. Sourced from the root of the project.

# Says what comes, then does it.
step() {
    printf '\n== %s\n   $ %s\n' "$1" "${*:2}"
    "${@:2}"
}

# Installs Debian packages, as root or through sudo.
install_packages() {
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
    "${as_root[@]}" apt-get update
    "${as_root[@]}" apt-get install --yes --no-install-recommends "$@"
}

# Where cargo puts what it builds; the rest is kept beside it.
target=${CARGO_TARGET_DIR:-$PWD/target}

# Runs a command that fills a directory, unless it was filled by the very same command.
fill() {
    local title=$1 directory=$2
    if [ "$(cat "$directory/.filled-by" 2>/dev/null)" = "${*:3}" ]; then return; fi
    rm -rf "$directory"
    mkdir -p "$directory"
    step "$title" "${@:3}"
    echo "${*:3}" >"$directory/.filled-by"
}

# Installs packages of npm into a directory.
install_npm() {
    if ! command -v npm >/dev/null; then step 'Installing npm' install_packages npm; fi
    fill "Installing ${*:2}" "$1" \
        npm install --prefix "$1" --no-save --no-audit --no-fund --loglevel error "${@:2}"
}

# Sets `node` to a Node 22, which distributions do not have yet; npm brings it as a package.
install_node() {
    install_npm "$target/node" node@22.23.3
    node=$target/node/node_modules/node/bin/node
}

servers=()
stop_servers() {
    local server
    for server in "${servers[@]}"; do
        kill "$server" 2>/dev/null || true
        wait "$server" || true
    done
    servers=()
}
trap stop_servers EXIT

# Starts a program that listens, in a directory, where it logs, on a port of the system's choice, and waits for a line of `log`.
start() {
    local directory=$1 line=$2 program=$3
    log=$directory/server-${#servers[@]}.log
    (cd "$directory" && exec env -i "$program" "$4" --port 0 "${@:5}") >"$log" 2>&1 &
    servers+=($!)
    for _ in $(seq 100); do
        if grep -q "$line" "$log"; then return; fi
        sleep 0.1
    done
    cat "$log"
    return 1
}

# Starts a server, and sets `url`.
start_server() {
    start "$1" 'http://[0-9.:]*/mcp' "$2" http "${@:3}"
    url=$(grep -o 'http://[0-9.:]*/mcp' "$log" | head -n 1)
}

# Starts a sandbox, and sets `base`, and `admin`, where it is seen from behind.
start_sandbox() {
    start "$1" 'admin: http://[0-9.:]* ' "$2" sandbox "${@:3}"
    { read -r base; read -r admin; } < <(grep -o 'http://[0-9.:]*' "$log")
}
