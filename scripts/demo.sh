#!/usr/bin/env bash
# The main job on the sample corpus: install, ingest seeds/, build the index, print related stories.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh model onnx
recommender=.venv/bin/recommender
"$recommender" ingest seeds
"$recommender" rebuild
echo
"$recommender" related 2025-12-14-nato-bid-berlin-talks
cat <<'NEXT'

Next:
  .venv/bin/recommender search "hackers in a hospital"     any text, from the shell
  .venv/bin/recommender serve                              then open http://127.0.0.1:8000/ in a browser
NEXT
