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

for folder in /run/secrets/databases/*; do
  OWNER="$(cat "$folder/username")"
  OWNER_PASSWORD="$(cat "$folder/password")"
  DATABASE="$(cat "$folder/database")"
  export OWNER OWNER_PASSWORD DATABASE
  if [ "$OWNER" = "$PGUSER" ]; then
    echo "Secret ${folder##*/} names the superuser as owner; give the database its own role." >&2
    exit 1
  fi
  psql --no-psqlrc --quiet --tuples-only --set=ON_ERROR_STOP=1 \
    --dbname=postgres --file=/etc/postgresql/databases.sql
  echo "database of Secret ${folder##*/}: ready"
done
