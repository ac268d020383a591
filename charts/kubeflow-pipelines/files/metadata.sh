# The server takes the password as an argument, which process lists show, or in this file.
set -eu
umask 077
cat >/run/metadata/server.pbtxt <<CONFIG
connection_config {
  mysql {
    host: "$DATABASE_HOST"
    port: $DATABASE_PORT
    database: "$DATABASE_NAME"
    user: "$(cat /run/secrets/database/username)"
    password: "$(cat /run/secrets/database/password)"
  }
}
migration_options { enable_upgrade_migration: true }
CONFIG
