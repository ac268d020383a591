# Starts the server with the password of the Secret. Only its digest is written, and only to memory.
set -eu
umask 077

# Prints the digest of the password in the Secret at folder $1.
digest() {
  # In two steps, so that a Secret without the key ends the script and not in an empty password.
  password="$(cat "$1/password")"
  if [ -z "$password" ]; then
    echo "Key 'password' of the Secret at $1 is empty: nobody would need one." >&2
    exit 1
  fi
  printf '%s' "$password" | sha256sum | cut -d ' ' -f 1
  unset password
}

found="$(digest /run/secrets/valkey)"
printf 'user default on #%s ~* &* +@all\n' "$found" >/run/valkey/users.acl
for folder in /run/secrets/accounts/*; do
  # Without accounts the pattern stands for itself.
  [ -d "$folder" ] || continue
  found="$(digest "$folder")"
  name="$(cat "$folder/username")"
  keys=""
  # Patterns of keys, not of files.
  set -f
  for pattern in $ACCOUNT_KEYS; do
    keys="$keys ~$(printf '%s' "$pattern" | sed "s/{tenant}/${name#tenant-}/")"
  done
  set +f
  # Nothing that tells names of keys (tracking tells those that others write), or that reaches into the
  # scripts and functions of others. The counter of all routes can be raised and nothing else: whoever
  # may set it stops the promotions of everybody. In the words of `ACL LIST`, which it is compared with.
  printf 'user %s on #%s resetchannels%s +@all -@admin -@dangerous %s +info %s\n' \
    "$name" "$found" "$keys" "-scan -randomkey -client|tracking -function -script" \
    "(~mlops-infra:routes-revision resetchannels -@all +incr)" >>/run/valkey/users.acl
done
exec valkey-server /etc/valkey/valkey.conf
