"""`mltox sample`: the project's own posts, for trying things out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ingest.sources.sample.writing import write_sample
from mltox.base.command_line import Parser


def main(argv: Sequence[str] | None = None) -> int:
    parser = Parser(
        prog="mltox sample",
        description="Writes four weeks of generated posts with planted incidents.\n\n"
        "reads   nothing\n"
        "writes  posts.jsonl, topics.yaml, incidents.json (what was planted, and when)",
        epilog="example:\n  mltox sample --out sample --posts 50000",
    )
    parser.add_argument("--out", type=Path, default=Path("sample"), help="folder (%(default)s)")
    parser.add_argument("--posts", type=int, default=24_000, help="about how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other posts")
    given = parser.parse_args(argv)
    given.out.mkdir(parents=True, exist_ok=True)
    info = write_sample(given.out / "posts.jsonl", seed=given.seed, posts=given.posts)
    print(f"{info.rows:,} rows in {info.posts_path}; {len(info.incidents)} incidents planted")
    return 0
