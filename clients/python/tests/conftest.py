"""What tests are given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.stage import AsyncFace, Face, SyncFace


@pytest.fixture(params=["sync", "async"])
def face(request: pytest.FixtureRequest) -> Iterator[Face]:
    """Each of the two kinds of clients."""
    if request.param == "sync":
        yield SyncFace()
    else:
        made = AsyncFace()
        yield made
        made.close()
