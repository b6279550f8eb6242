#!/usr/bin/env bash
# Proves that a backup can be restored: dumps a database, restores it into another, and checks there that migrations, audit and rights are whole.
#
#   deploy/backup-drill.sh postgresql://…/peerpause postgresql://…/scratch
#
# Both as a role with BYPASSRLS (a superuser has it). The second database must exist and be empty; it is left for you to look at, and to drop.
# Exit code 0 only if every check passed. Dump and checks need the programs of PostgreSQL's client (pg_dump, pg_restore) in the PATH.
set -euo pipefail

[[ $# == 2 ]] || { sed -n '2,7p' "$0" >&2; exit 2; }
from=$1 to=$2
dump=$(mktemp)
trap 'rm -f "$dump"' EXIT

step() { printf '== %s\n' "$1"; }

step "dump"
pg_dump --format=custom --no-owner --file="$dump" "$from"
step "restore"
pg_restore --no-owner --exit-on-error --single-transaction --dbname="$to" "$dump"
step "the migrations are those of this program"
PEERPAUSE_DATABASE_URL=$to peerpause migrate verify
step "the audit agrees with its chain"
PEERPAUSE_DATABASE_URL=$to peerpause audit verify
step "everybody may do what they might before"
diff <(PEERPAUSE_DATABASE_URL=$from peerpause doctor --access-matrix) <(PEERPAUSE_DATABASE_URL=$to peerpause doctor --access-matrix)
step "erasures made since the backup have to be made again: peerpause person reapply-erasures"
echo "The backup can be restored."
