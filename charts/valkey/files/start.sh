# Starts the server with the password of the Secret. Only its digest is written, and only to memory.
set -eu
umask 077
# In two steps, so that a Secret without the key ends the script and not in an empty password.
password="$(cat /run/secrets/valkey/password)"
if [ -z "$password" ]; then
  echo "Key 'password' of the Secret is empty: nobody would need one." >&2
  exit 1
fi
digest="$(printf '%s' "$password" | sha256sum | cut -d ' ' -f 1)"
unset password
printf 'user default on #%s ~* &* +@all\n' "$digest" >/run/valkey/users.acl
exec valkey-server /etc/valkey/valkey.conf
