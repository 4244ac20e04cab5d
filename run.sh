#!/usr/bin/env bash
# Builds the app where its sources are newer than its binary, and runs it with the arguments given here.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/packages.sh
source "$root/tools/packages.sh"

need_app_packages
install_missing

app=$root/Ingestion.Admin/bin/Release/net10.0/ingestion.dll

# A directory counts too: its time changes when a file in it is deleted.
is_stale() {
  [[ ! -f $app ]] || [[ -n $(find "$root/Ingestion.Admin" "$root/Ingestion.Core" "$root"/*.props "$root/global.json" "$root/appsettings.json" \
    \( -name bin -o -name obj -o -name _framework \) -prune -o -newer "$app" -print -quit) ]]
}

if is_stale; then
  echo "Building..."
  if ! output=$(dotnet build "$root/Ingestion.Admin" -c Release --nologo -v quiet -nodeReuse:false 2>&1); then
    echo "$output" >&2
    exit 1
  fi
  # A build that had nothing to compile leaves the binary's time as it was.
  touch "$app"
fi

# exec: signals must reach the app, which shuts its database server down.
exec dotnet "$app" "$@"
