# Writes who may do what. Without such a file the S3 port would serve everybody; with one, only those
# in it. Names and keys hold no character that JSON would want quoted: they are checked here.
set -eu
umask 077

plain() {
  case "$1" in
  '' | *[!A-Za-z0-9/+=._-]*)
    echo "A key in $2 is empty or holds a character that S3 keys never have." >&2
    exit 1
    ;;
  esac
}

identity() { # name, folder of the Secret, actions as JSON
  access="$(cat "$2/accessKey")"
  secret="$(cat "$2/secretKey")"
  plain "$access" "$2"
  plain "$secret" "$2"
  printf '{"name":"%s","credentials":[{"accessKey":"%s","secretKey":"%s"}],"actions":[%s]}' \
    "$1" "$access" "$secret" "$3"
}

{
  printf '{"identities":['
  identity root /run/secrets/root '"Admin","Read","Write","List","Tagging"'
  # Lines of Secret and actions with commas between them.
  while read -r secret actions; do
    [ -n "$secret" ] || continue
    printf ','
    identity "$secret" "/run/secrets/users/$secret" "\"$(printf '%s' "$actions" | sed 's/,/","/g')\""
  done </etc/seaweedfs/users
  printf ']}\n'
} >/run/seaweedfs/s3.json
