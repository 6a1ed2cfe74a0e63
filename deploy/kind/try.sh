#!/usr/bin/env bash
# Installs Roost on a cluster of kind or k3d and tries everything: `deploy/kind/try.sh --help`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
tools/node tools/ensure-built.mjs
exec tools/node dist/test/kind/main.js "$@"
