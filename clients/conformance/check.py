#!/usr/bin/env python3
"""Checks that the cases of this folder fit the contract, so that two clients which pass them do
what the service understands.

    check.py

Prints what is wrong, by file and case, and closes with a count. First it tries itself: cases that
were broken in known ways must not pass. Python 3.9 or newer, and nothing else.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Iterator

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from checking import broken, live, offline  # noqa: E402
from checking.contract import Contract  # noqa: E402

Verdict = tuple[str, list[str]]


def verdicts(contract: Contract, files: dict[str, Any]) -> Iterator[Verdict]:
    """What is checked, and what is wrong with each."""
    ids = live.positions(files)
    for name, file in files.items():
        runs_live = file.get("live") is True
        wrong = [f"nobody knows the key {key}" for key in set(file) - {"about", "live", "cases"}]
        if not isinstance(file.get("about"), str):
            wrong.append("it does not say what it is about")
        if not runs_live and name not in offline.FILES:
            wrong.append("nobody knows this file, and it is not live")
            yield name, wrong
            continue
        names = [case.get("name") for case in file.get("cases", [])]
        wrong += [f"two cases are called {each}" for each in set(names) if names.count(each) > 1]
        yield name, wrong
        for case in file.get("cases", []):
            yield f"{name}: {case.get('name')}", [*checked(contract, name, case, runs_live, ids)]
    for what, holds in offline.coverage(contract, files):
        yield what, [] if holds else ["it does not"]


def checked(
    contract: Contract, name: str, case: Any, runs_live: bool, ids: dict[str, int]
) -> Iterator[str]:
    """What is wrong with a case. A case of no shape at all is wrong, too."""
    try:
        if runs_live:
            yield from live.live(contract, case, ids)
        else:
            yield from offline.FILES[name](contract, case)
    except (KeyError, TypeError, AttributeError, ValueError) as cause:
        yield f"it cannot be read: {type(cause).__name__}: {cause}"


def main() -> int:
    contract = Contract.read()
    files = {
        path.name: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(HERE.glob("*.json"))
    }
    found = [*verdicts(contract, files)]
    if not any(wrong for _, wrong in found):
        # Breaking what is broken already would tell nothing.
        found += broken.verdicts(files, lambda changed: verdicts(contract, changed))
    failed = [(what, wrong) for what, wrong in found if wrong]
    for what, wrong in failed:
        for each in wrong:
            print(f"conformance: {what}: {each}")
    print(f"{len(found) - len(failed)} passed, {len(failed)} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
