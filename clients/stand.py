#!/usr/bin/env python3
"""Starts one node, or three that are a cluster, for tests that need some.

    stand.py dev        one node as `countersign dev --ephemeral`, with its inbox at /dev/messages
    stand.py cluster    three nodes that replicate, on scratch directories

Prints one line of JSON when all answer: {"urls": [...], "key": "csk_...", "pids": [...],
"names": [...]}, a pid for each URL. Ends, and ends every node, when its standard input ends or it is
told to (SIGTERM, SIGINT). A node that was killed can be started again by a line on standard input:
its name; when it answers again, its new pid is printed as {"name": ..., "pid": ...}.

The program is $COUNTERSIGN_BIN, else the one in the target folder. Python 3.9 or newer, and nothing
else.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 120


def program() -> str:
    """Where the program is."""
    target = os.environ.get("CARGO_TARGET_DIR")
    places = [os.environ.get("COUNTERSIGN_BIN"), target and f"{target}/release/countersign"]
    places.append(str(ROOT / "target/release/countersign"))
    for place in places:
        if place and os.path.exists(place):
            return place
    sys.exit(f"stand: no program at {', '.join(filter(None, places))}; run: make build")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on. All are held until all are found, so that none comes twice."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def bare_environment() -> dict[str, str]:
    """This process's variables without any that would configure a node."""
    return {k: v for k, v in os.environ.items() if not k.startswith("COUNTERSIGN_")}


class Node:
    """A node that can be started again."""

    def __init__(self, name: str, arguments: list[str], environment: dict[str, str], log: Path):
        self.name = name
        self.arguments = arguments
        self.environment = environment
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [program(), *self.arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_until(self, what: str, look):  # noqa: ANN001, ANN201 - whatever look finds
        """Waits until `look` finds something while the process lives."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = look()
            if found:
                return found
            ended = self.process is None or self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                why = "it ended" if ended else f"not within {PATIENCE_SECONDS} s"
                said = self.log.read_text(errors="replace")[-4000:]
                raise SystemExit(f"stand: {self.name}: {what}: {why}\n{said}")
            time.sleep(0.05)

    def end(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def ready(url: str) -> bool:
    """Whether a node can serve."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def voters(url: str, key: str) -> bool:
    """Whether every shard has three voters."""
    request = urllib.request.Request(
        f"{url}/v1/cluster", headers={"Authorization": f"Bearer {key}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            shards = json.load(answer)["shards"]
    except (urllib.error.URLError, OSError):
        return False
    return all(len(shard["voters"]) == 3 for shard in shards)


def dev(scratch: Path, nodes: list[Node]) -> dict[str, object]:
    """One node for development."""
    arguments = ["dev", "--ephemeral", "--listen", "127.0.0.1:0"]
    # Callers on this machine may say whom they ask for: as one address without a key they would soon
    # be told to come again later.
    environment = {**bare_environment(), "COUNTERSIGN_TRUSTED_PROXIES": "127.0.0.1/32"}
    node = Node("dev", arguments, environment, scratch / "dev.log")
    nodes.append(node)
    node.start()

    def greeting() -> tuple[str, str] | None:
        said = node.log.read_text(errors="replace")
        url = re.search(r"^ +API +(\S+)/v1$", said, re.M)
        key = re.search(r"^ +Key +(\S+)$", said, re.M)
        return (url[1], key[1]) if url and key else None

    url, key = node.wait_until("it does not greet", greeting)
    return {"urls": [url], "key": key}


def cluster(scratch: Path, nodes: list[Node]) -> dict[str, object]:
    """Three nodes."""
    made = subprocess.run([program(), "keys", "generate"], check=True, capture_output=True, text=True)
    keys = dict(re.findall(r"^(COUNTERSIGN_\w+)=(\S+)$", made.stdout, re.M))
    environment = {**bare_environment(), **keys}
    ports = free_ports(6)
    urls = []
    for index in range(3):
        api, peer = ports[index], ports[3 + index]
        urls.append(f"http://127.0.0.1:{api}")
        name = f"n{index + 1}"
        others = ",".join(f"127.0.0.1:{port}" for port in ports[3:] if port != peer)
        arguments = ["serve", "--name", name, "--data-dir", str(scratch / name)]
        arguments += ["--api-listen", f"127.0.0.1:{api}", "--peer-listen", f"127.0.0.1:{peer}"]
        arguments += ["--bootstrap"] if index == 0 else ["--join", others]
        node = Node(name, arguments, environment, scratch / f"{name}.log")
        nodes.append(node)
        node.start()
        if index == 0:
            node.wait_until("it is not ready", lambda: ready(urls[0]))
    key = keys["COUNTERSIGN_ROOT_KEY"]
    for node, url in zip(nodes, urls):
        node.wait_until("it is not ready", lambda url=url: ready(url))
    nodes[0].wait_until("not every shard has three voters", lambda: voters(urls[0], key))
    return {"urls": urls, "key": key}


def main() -> None:
    kinds = {"dev": dev, "cluster": cluster}
    if len(sys.argv) != 2 or sys.argv[1] not in kinds:
        sys.exit("usage: stand.py dev | cluster")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    scratch = Path(tempfile.mkdtemp(prefix="countersign-stand-"))
    nodes: list[Node] = []
    try:
        stand = kinds[sys.argv[1]](scratch, nodes)
        stand["names"] = [node.name for node in nodes]
        stand["pids"] = [node.process.pid for node in nodes if node.process]
        print(json.dumps(stand), flush=True)
        for line in sys.stdin:
            node = next((node for node in nodes if node.name == line.strip()), None)
            if node is None:
                sys.exit(f"stand: no node {line.strip()!r}")
            url = stand["urls"][nodes.index(node)]
            node.end()
            node.start()
            node.wait_until("it is not ready again", lambda url=url: ready(url))
            print(json.dumps({"name": node.name, "pid": node.process.pid}), flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        for node in nodes:
            node.end()
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
