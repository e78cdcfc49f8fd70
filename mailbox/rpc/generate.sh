#!/bin/sh
# Generates mailbox/rpc/gen from mailbox/rpc/proto, src/admin/gen from src/admin/proto: npm run generate
# Needs protoc 25 or newer in PATH, or PROTOC="python3 -m grpc_tools.protoc" (PyPI: grpcio-tools).
set -eu
cd "$(dirname "$0")/../.."
plugin=$(mktemp)
trap 'rm -f "$plugin"' EXIT
printf '#!/bin/sh\nexec node --import tsx mailbox/rpc/proto/protoc-gen-es-erasable.ts\n' > "$plugin"
chmod +x "$plugin"
generate() {
  rm -rf "$1/gen"
  mkdir -p "$1/gen"
  # shellcheck disable=SC2086
  ${PROTOC:-protoc} -I "$1/proto" \
    --plugin=protoc-gen-es="$plugin" \
    --es_out="$1/gen" --es_opt=target=ts,import_extension=ts \
    "$1"/proto/*.proto
}
generate mailbox/rpc
generate src/admin
