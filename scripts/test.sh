#!/usr/bin/env bash
# Everything that must hold before a change goes in: style, types, tests without and with the real model, a page in a browser.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh model onnx bench dev
bin=.venv/bin
"$bin/ruff" check .
"$bin/ruff" format --check .
"$bin/mypy"
exec "$bin/python" -m pytest -m "not exhaustive" "$@"
