# Makes the buckets: no account but root may make any. Runs beside each start of the server, which
# counts as started only when this has ended.
set -eu

shell() { printf '%s\n' "$1" | weed shell -master=127.0.0.1:9333 -filer=127.0.0.1:8888; }

while read -r bucket; do
  [ -n "$bucket" ] || continue
  tries=0
  until shell s3.bucket.list 2>/dev/null | grep -q "^ *$bucket[[:space:]]"; do
    tries=$((tries + 1))
    if [ "$tries" -ge 60 ]; then
      echo "Bucket $bucket could not be made." >&2
      exit 1
    fi
    shell "s3.bucket.create -name $bucket" >/dev/null 2>&1 || sleep 2
  done
done </etc/seaweedfs/buckets
