# Makes every declared role and database, and sets every password; may run any number of times.
set -eu
PGUSER="$(cat /run/secrets/admin/username)"
PGPASSWORD="$(cat /run/secrets/admin/password)"
export PGUSER PGPASSWORD

tries=0
until pg_isready --quiet --timeout=3; do
  tries=$((tries + 1))
  if [ "$tries" -ge 100 ]; then
    echo "No answer from PostgreSQL at $PGHOST:$PGPORT." >&2
    exit 1
  fi
  sleep 3
done

query() {
  psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$@"
}

# Runs the file $2 for the Secret in folder $1; $3 is what becomes of its rows.
run() {
  OWNER="$(cat "$1/username")"
  OWNER_PASSWORD="$(cat "$1/password")"
  DATABASE="$(cat "$1/database")"
  ON_REMOVAL="${3:-}"
  export OWNER OWNER_PASSWORD DATABASE ON_REMOVAL
  if [ "$OWNER" = "$PGUSER" ]; then
    echo "Secret ${1##*/} names the superuser; give the database its own role." >&2
    exit 1
  fi
  query --dbname=postgres --file="/etc/postgresql/$2"
  echo "Secret ${1##*/}: ready"
}

query --dbname=postgres --file=/etc/postgresql/server.sql
for folder in /run/secrets/databases/*; do
  run "$folder" databases.sql
  query --dbname="$(cat "$folder/database")" --file=/etc/postgresql/rights.sql
done
GUESTS=""
# Lines of Secret and onRemoval.
while read -r secret wish; do
  [ -n "$secret" ] || continue
  folder="/run/secrets/guests/$secret"
  run "$folder" guests.sql "$wish"
  GUESTS="$GUESTS $(cat "$folder/username")"
done <<EOF
$DECLARED
EOF
export GUESTS
query --dbname=postgres --file=/etc/postgresql/closed.sql > /tmp/purge
while IFS='|' read -r OWNER database; do
  [ -n "$OWNER" ] || continue
  export OWNER
  query --dbname="$database" --file=/etc/postgresql/purged.sql
  echo "Role $OWNER: its rows in $database are deleted"
done < /tmp/purge
