# Ready: the server answers its own password with PONG, not with LOADING.
set -eu
REDISCLI_AUTH="$(cat /run/secrets/valkey/password)"
export REDISCLI_AUTH
test "$(valkey-cli -t 3 ping)" = PONG
