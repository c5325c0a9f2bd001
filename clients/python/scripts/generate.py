"""Makes again what is made: the types from ../openapi.json, the sync client from the async one.

    generate.py            writes the files
    generate.py --check    writes nothing, and fails when a file is old

Needs ruff, which formats what is written.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import sync
import types_ as types

ROOT = Path(__file__).resolve().parent.parent


def formatted(text: str, path: Path) -> str:
    """A module as ruff formats it, imports in order and none that is not needed."""
    name = ["--stdin-filename", str(path)]
    for arguments in (
        ["check", "--quiet", "--fix-only", "--select", "I,F401,RUF022", *name, "-"],
        ["format", "--quiet", *name, "-"],
    ):
        command = [sys.executable, "-m", "ruff", *arguments]
        made = subprocess.run(
            command, input=text, capture_output=True, text=True, check=False, cwd=ROOT
        )
        if made.returncode != 0:
            sys.exit(f"generate: {path}: {made.stderr}")
        text = made.stdout
    return text


def main() -> None:
    files = {**types.generate(), **sync.generate()}
    old: list[str] = []
    for path, text in files.items():
        wanted = formatted(text, path)
        if not path.exists() or path.read_text("utf-8") != wanted:
            old.append(str(path.relative_to(ROOT)))
            if "--check" not in sys.argv:
                path.write_text(wanted, "utf-8")
    if "--check" in sys.argv and old:
        sys.exit(f"generate: old: {', '.join(old)}; run: make clients")
    for name in old:
        print(f"generate: wrote {name}")


if __name__ == "__main__":
    main()
