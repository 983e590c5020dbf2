#!/usr/bin/env bash
# Everything that must hold before a change goes in: style, types, tests without and with the real model, pages in a browser (where there is a Chromium).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh model onnx otel markdown parquet warc zst bench browser dev
bin=.venv/bin
"$bin/ruff" check .
"$bin/ruff" format --check .
"$bin/mypy"
exec "$bin/python" -m pytest -m "not exhaustive" "$@"
