# Sourced by run.sh and test.sh: finds which system packages are missing, and installs them or says how.
# shellcheck shell=bash

declare -a missing=()

have() { command -v "$1" >/dev/null 2>&1; }

# need PACKAGE WHY CHECK...: notes the package where the check fails.
need() {
  local package=$1 why=$2
  shift 2
  if ! "$@" >/dev/null 2>&1; then
    missing+=("$package")
    echo "Missing: $package ($why)."
  fi
}

have_postgres() {
  [[ -n ${ConnectionStrings__Ingestion:-} || -n ${INGESTION_PG_BIN:-} ]] || have initdb ||
    compgen -G '/usr/lib/postgresql/*/bin/initdb' || compgen -G '/usr/pgsql-*/bin/initdb'
}

have_icu() { compgen -G '/usr/lib/*/libicuuc.so.*' || compgen -G '/usr/lib*/libicuuc.so.*'; }

# Debian names the package after the library's version, which every release changes.
icu_package() {
  local name
  name=$(apt-cache search --names-only '^libicu[0-9]+$' 2>/dev/null | sort -V | tail -n 1 | cut -d ' ' -f 1)
  echo "${name:-libicu-dev}"
}

need_app_packages() {
  if ! have dotnet || ! dotnet --list-sdks | grep -q '^10\.'; then
    echo "The .NET SDK 10 is needed: https://dotnet.microsoft.com/download/dotnet/10.0" >&2
    exit 2
  fi
  need postgresql "the database server that the app runs for itself" have_postgres
  need poppler-utils "reads the text of PDF files" have pdftotext
  have_icu >/dev/null || need "$(icu_package)" "languages and time zones for .NET" have_icu
}

# Ends with exit code 2 where something is missing and cannot be installed by this user.
install_missing() {
  if [[ ${#missing[@]} -eq 0 ]]; then
    return
  fi
  # No cluster at installation: the app makes one of its own.
  local no_cluster="mkdir -p /etc/postgresql-common/createcluster.d && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/ingestion.conf"
  local install="apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends ${missing[*]}"
  if [[ " ${missing[*]} " == *" postgresql "* ]]; then
    install="$no_cluster && $install"
  fi
  if ! have apt-get; then
    echo "Install these with the package manager of this system, then start again: ${missing[*]}" >&2
    exit 2
  fi
  if [[ $(id -u) -ne 0 ]]; then
    printf 'Only root can install them. Run this once, then start again:\n\n  sudo sh -c "%s"\n\n' "$install" >&2
    exit 2
  fi
  echo "Installing: ${missing[*]}"
  sh -c "$install" >/tmp/ingestion-install.$$ 2>&1 || {
    tail -n 20 /tmp/ingestion-install.$$ >&2
    echo "The installation failed; all of its output is in /tmp/ingestion-install.$$." >&2
    exit 2
  }
  rm -f /tmp/ingestion-install.$$
}
