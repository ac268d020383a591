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

# Runs the file $2 for the Secret in folder $1.
run() {
  OWNER="$(cat "$1/username")"
  OWNER_PASSWORD="$(cat "$1/password")"
  DATABASE="$(cat "$1/database")"
  export OWNER OWNER_PASSWORD DATABASE
  if [ "$OWNER" = "$PGUSER" ]; then
    echo "Secret ${1##*/} names the superuser; give the database its own role." >&2
    exit 1
  fi
  psql --no-psqlrc --quiet --tuples-only --set=ON_ERROR_STOP=1 \
    --dbname=postgres --file="/etc/postgresql/$2"
  echo "Secret ${1##*/}: ready"
}

for folder in /run/secrets/databases/*; do
  run "$folder" databases.sql
done
GUESTS=""
for folder in /run/secrets/guests/*; do
  # Without guests the pattern stands for itself.
  [ -d "$folder" ] || continue
  run "$folder" guests.sql
  GUESTS="$GUESTS $(cat "$folder/username")"
done
export GUESTS
psql --no-psqlrc --quiet --tuples-only --set=ON_ERROR_STOP=1 \
  --dbname=postgres --file=/etc/postgresql/closed.sql
