#!/usr/bin/env bash
# Makes .venv/ at the root and installs the package with the extras named as arguments, e.g.: scripts/setup.sh model onnx
# Quick when nothing changed: what was installed, and from which pyproject.toml, is noted in .venv/.installed.
set -euo pipefail
cd "$(dirname "$0")/.."
extras=$(IFS=,; echo "$*")
python=${PYTHON:-python3}
"$python" - <<'CHECK' || { echo "Python 3.11 or newer is needed; name one with PYTHON=/path/to/python3.11" >&2; exit 1; }
import sys
sys.exit(sys.version_info < (3, 11))
CHECK
wanted="$extras $(sha256sum pyproject.toml | cut -d' ' -f1) $("$python" -V)"
grep -qxF "$wanted" .venv/.installed 2>/dev/null && exit 0
[ -x .venv/bin/python ] || "$python" -m venv .venv
echo "installing into .venv/ (once; torch is the large part) ..." >&2
case ",$extras," in
  # Pinned and first: a bare torch, asked for by another package, may bring gigabytes of CUDA along.
  *,model,*) .venv/bin/python -m pip install --quiet --disable-pip-version-check "torch==2.13.0" ;;
esac
.venv/bin/python -m pip install --quiet --disable-pip-version-check -e ".[$extras]"
echo "$wanted" >> .venv/.installed
