"""Counts what passed, failed and was skipped in the results of tests (JUnit's XML)."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree


def main() -> None:
    path = Path(sys.argv[1])
    if not path.exists():
        print("0 0 0")
        return
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        ends = {child.tag for child in case}
        if ends & {"failure", "error"}:
            failed += 1
        elif "skipped" in ends:
            skipped += 1
        else:
            passed += 1
    print(passed, failed, skipped)


if __name__ == "__main__":
    main()
