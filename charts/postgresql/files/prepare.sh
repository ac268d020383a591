# Brings the data folder into the state that the server starts from. Runs before every start.
set -eu
umask 077
username="$(cat /run/secrets/admin/username)"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  # initdb works beside the final place: if it is killed, the next start begins anew.
  rm -rf "$PGDATA.new"
  initdb --pgdata="$PGDATA.new" --username="$username" --pwfile=/run/secrets/admin/password \
    --auth=scram-sha-256 --encoding=UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 \
    --locale=C --data-checksums
  mv "$PGDATA.new" "$PGDATA"
  exit 0
fi

found="$(cat "$PGDATA/PG_VERSION")"
wanted="$(postgres --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')"
if [ "$found" != "$wanted" ]; then
  echo "The data on this volume is of PostgreSQL $found, the server is $wanted." >&2
  echo "Dump it with a server of version $found and restore it into an empty volume." >&2
  exit 1
fi

# A volume that was restored or regrouped has modes that the server refuses.
chmod 0700 "$PGDATA"

# The Secret is what counts: in single-user mode its password is set without knowing the old one,
# on standard input, so it appears in no process list; errors do not quote it into the log.
password="$(sed "s/'/''/g" /run/secrets/admin/password)"
printf 'ALTER ROLE "%s" PASSWORD '\''%s'\''\n' "$username" "$password" |
  postgres --single -D "$PGDATA" -c config_file=/etc/postgresql/postgresql.conf \
    -c log_min_error_statement=panic -c log_statement=none -c log_min_duration_statement=-1 \
    postgres >/dev/null
