#!/bin/sh
# Installs the toolkit with everything its tests and its trainer need into the virtual environment of $PIP.
# torch comes first, so that a machine without an NVIDIA card gets the CPU build and not gigabytes of CUDA.
set -eu
PIP=${PIP:-pip}
TORCH=2.13.0

has_nvidia() { command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1; }

if [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] && ! has_nvidia; then
    # The Python package index carries only the CUDA build for this platform; PyTorch's own index has the other.
    "$PIP" install --quiet --no-deps "torch==$TORCH+cpu" 2>/dev/null ||
        "$PIP" install --quiet --no-deps --extra-index-url https://download.pytorch.org/whl/cpu "torch==$TORCH+cpu"
else
    "$PIP" install --quiet "torch==$TORCH"
fi
"$PIP" install --quiet --editable '.[dev]'

if ! fc-list :lang=zh 2>/dev/null | grep -q . && ! ls /usr/share/fonts/truetype/wqy /usr/share/fonts/opentype/noto >/dev/null 2>&1; then
    echo "note: no Chinese font is installed, so the sample corpus will have no Chinese part;" \
        "Debian's package is fonts-wqy-zenhei" >&2
fi
if ! command -v espeak-ng >/dev/null 2>&1; then
    echo "note: espeak-ng is not installed, so the sample corpus will have no speech;" \
        "Debian's package is espeak-ng" >&2
fi
