#!/usr/bin/env bash
# Everything that must hold before a change goes in: style, types, tests without and with the real model, pages in a browser (where there is a Chromium).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh model onnx otel markdown parquet warc zst bench browser dev
bin=.venv/bin
"$bin/ruff" check .
"$bin/ruff" format --check .
"$bin/mypy"
# Homes are synced to the disk at every step, thousands of times; in memory that costs nothing, and no test cuts the power.
free_kb=$(df --output=avail -k /dev/shm 2>/dev/null | tail -1 || echo 0)
if [ -z "${TMPDIR:-}" ] && [ "$free_kb" -gt 4000000 ] && ! grep -q " /dev/shm .*noexec" /proc/mounts; then
  TMPDIR=$(mktemp -d /dev/shm/recommender-tests.XXXXXX)
  export TMPDIR
  trap 'rm -rf "$TMPDIR"' EXIT
fi
# A file's tests stay together and in order.
"$bin/python" -m pytest -m "not exhaustive" --numprocesses auto --maxprocesses 4 --dist loadfile \
  -o tmp_path_retention_policy=failed "$@"
