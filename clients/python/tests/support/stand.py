"""Nodes of one's own, started by clients/stand.py."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

SCRIPT = Path(
    os.environ.get("COUNTERSIGN_STAND") or Path(__file__).resolve().parents[3] / "stand.py"
)


class Stand:
    """Running nodes: one as `countersign dev`, or three that replicate."""

    def __init__(self, kind: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        told = self._next()
        self.urls: list[str] = told["urls"]
        self.key: str = told["key"]
        self._names: list[str] = told["names"]
        self._pids: list[int] = told["pids"]
        self._dead: list[int] = []

    @property
    def url(self) -> str:
        """The first node's address."""
        return self.urls[0]

    @property
    def environment(self) -> dict[str, str]:
        """What a process's environment needs for a client that is given nothing."""
        return {"COUNTERSIGN_URL": ",".join(self.urls), "COUNTERSIGN_API_KEY": self.key}

    def url_of(self, name: str) -> str:
        """A node's address, by its name."""
        return self.urls[self._names.index(name)]

    def kill(self, url: str) -> None:
        """Kills a node, as a power cut would: it has no moment to say so."""
        at = self.urls.index(url)
        self._dead.append(at)
        os.kill(self._pids[at], signal.SIGKILL)

    def restart_dead(self) -> None:
        """Starts every node again that was killed, and waits until it serves."""
        assert self._process.stdin is not None
        while self._dead:
            at = self._dead.pop()
            self._process.stdin.write(f"{self._names[at]}\n")
            self._process.stdin.flush()
            self._pids[at] = self._next()["pid"]

    def stop(self) -> None:
        """Ends all."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def __enter__(self) -> Stand:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _next(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the nodes ended"
        told: dict[str, Any] = json.loads(line)
        return told
