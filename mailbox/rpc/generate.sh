#!/bin/sh
# Generates mailbox/rpc/gen from mailbox/rpc/proto: npm run generate
# Needs protoc 25 or newer in PATH, or PROTOC="python3 -m grpc_tools.protoc" (PyPI: grpcio-tools).
set -eu
cd "$(dirname "$0")/../.."
plugin=$(mktemp)
trap 'rm -f "$plugin"' EXIT
printf '#!/bin/sh\nexec node --import tsx mailbox/rpc/proto/protoc-gen-es-erasable.ts\n' > "$plugin"
chmod +x "$plugin"
rm -rf mailbox/rpc/gen
mkdir -p mailbox/rpc/gen
# shellcheck disable=SC2086
${PROTOC:-protoc} -I mailbox/rpc/proto \
  --plugin=protoc-gen-es="$plugin" \
  --es_out=mailbox/rpc/gen --es_opt=target=ts,import_extension=ts \
  mailbox/rpc/proto/*.proto
