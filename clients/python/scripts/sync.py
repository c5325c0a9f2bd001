"""Makes the sync client of the async one: the same modules with other words in them."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src/countersign/_async"
TARGET = ROOT / "src/countersign/_sync"

#: Modules whose two kinds have not only other words: they are written twice.
OWN = {"exchange.py", "pagination.py", "shared.py", "sleep.py", "__init__.py"}

NAMES = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aclose": "close",
    "AsyncClient": "Client",
    "AsyncIterator": "Iterator",
    "AsyncList": "Page",
    "_async": "_sync",
}
#: What comments and docstrings say of one kind alone.
TEXTS = {
    "aclose": "close",
    "An asynchronous client": "A synchronous client",
    "A call ends when its `timeout` has passed, whatever a node does.": (
        "A call ends when its `timeout` has passed. What httpx cannot interrupt may outlast it:\n"
        "    headers of an answer that come byte by byte, a look-up of a name that hangs, a name\n"
        "    with more than two addresses that are all silent. `AsyncCountersign` ends in\n"
        "    time there too."
    ),
}
HEADER = "# Made from {} by scripts/generate.py: not to be edited.\n"


def translated(text: str) -> str:
    """A module without async and await."""
    # A word and the space after it, told apart from the same word in a text.
    places: list[tuple[int, int, int]] = []
    renamed: list[tuple[int, int, str, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        (row, column), word = token.start, token.string
        if token.type == tokenize.NAME or word in {"async", "await"}:
            if word in {"async", "await"}:
                places.append((row, column, len(word)))
            else:
                renamed.append((row, column, word, NAMES.get(word, word.replace("Async", ""))))
    lines = text.splitlines(keepends=True)
    edits = [(row, column, size, "") for row, column, size in places]
    edits += [(row, column, len(old), new) for row, column, old, new in renamed if old != new]
    for row, column, size, new in sorted(edits, reverse=True):
        line = lines[row - 1]
        end = column + size
        if new == "":
            end += len(line[end:]) - len(line[end:].lstrip(" "))
        lines[row - 1] = line[:column] + new + line[end:]
    whole = "".join(lines)
    # In comments and docstrings, which tokens do not reach.
    whole = re.sub(r"\bawait |\basync (?=for|with|def)", "", whole)
    whole = re.sub(r"\bAsync(?=[A-Z])", "", whole)
    for ours, theirs in TEXTS.items():
        whole = whole.replace(ours, theirs)
    return whole


def generate() -> dict[Path, str]:
    """The modules, by where they belong."""
    made: dict[Path, str] = {}
    for source in sorted(SOURCE.rglob("*.py")):
        if source.name in OWN and source.parent == SOURCE:
            continue
        below = source.relative_to(SOURCE)
        header = HEADER.format(f"_async/{below.as_posix()}")
        made[TARGET / below] = header + translated(source.read_text("utf-8"))
    return made
