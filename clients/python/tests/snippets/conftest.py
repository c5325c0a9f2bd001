"""The snippets of the documentation run on one node and on three."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from support.people import Inbox
from support.stand import Stand

from countersign import Countersign


@pytest.fixture(scope="session", params=["dev", "cluster"])
def stand(request: pytest.FixtureRequest) -> Iterator[Stand]:
    """One node as `countersign dev`, then three that replicate."""
    with Stand(request.param) as stand:
        yield stand


@pytest.fixture(autouse=True)
def environment(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the service is, and the key, are in the environment."""
    for name, value in stand.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def client() -> Iterator[Countersign]:
    """The client of all snippets."""
    with Countersign() as client:
        yield client


@pytest.fixture
def user_id() -> str:
    """A user whom no other snippet knows."""
    return f"user_{uuid.uuid4()}"


@pytest.fixture
def inbox(stand: Stand) -> Inbox:
    """Where messages can be read, as those of `countersign dev` can."""
    return Inbox(stand.url)
