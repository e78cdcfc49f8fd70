#!/bin/sh
# Generates mailbox/rpc/gen from mailbox/rpc/proto, src/admin/gen from src/admin/proto: npm run generate
# Needs protoc 25 or newer in PATH, or PROTOC="python3 -m grpc_tools.protoc" (PyPI: grpcio-tools).
set -eu
cd "$(dirname "$0")/../.."
plugin=$(mktemp)
made=$(mktemp -d)
trap 'rm -rf "$plugin" "$made"' EXIT
printf '#!/bin/sh\nexec node --import tsx mailbox/rpc/proto/protoc-gen-es-erasable.ts\n' > "$plugin"
chmod +x "$plugin"
# What there is stays until all of the new is made.
generate() {
  mkdir "$made/gen"
  # shellcheck disable=SC2086
  ${PROTOC:-protoc} -I "$1/proto" \
    --plugin=protoc-gen-es="$plugin" \
    --es_out="$made/gen" --es_opt=target=ts,import_extension=ts \
    "$1"/proto/*.proto
  rm -rf "$1/gen"
  mv "$made/gen" "$1/gen"
}
generate mailbox/rpc
generate src/admin
