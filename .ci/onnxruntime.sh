#!/bin/sh
# Puts the ONNX Runtime library of the PyPI package into a folder and prints its path, for the tests that need one:
#   ORT_DYLIB_PATH=$(.ci/onnxruntime.sh FOLDER) cargo test --release --test inference
# Nothing of it is linked or shipped; the wheel is only unpacked. Any version from 1.17 on will do.
set -eu
folder=${1:-target/onnxruntime}
version=${ONNXRUNTIME_VERSION:-1.32.0}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
library=$folder/onnxruntime/capi/libonnxruntime.so.$version
if [ ! -f "$library" ]; then
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$folder" \
        "onnxruntime==$version" >&2
    python3 -m zipfile -e "$folder"/onnxruntime-"$version"-*.whl "$folder"
    rm "$folder"/onnxruntime-"$version"-*.whl
fi
test -f "$library"
printf '%s\n' "$library"
