"""The package as users install it: from its wheel and its sdist, outside of this repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"

#: What it takes to run the tests; and the oldest of what the package itself asks for.
TOOLS = ["pytest==8.4.2", "segno==1.6.6"]
OLDEST = ["httpx==0.25.0", "cryptography==42.0.0"]

pytestmark = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").exists(), reason="this is the installed package"
)


def interpreter(version: str) -> str | None:
    """A Python of this version."""
    pyenv = Path.home() / ".pyenv/versions"
    found = [str(each) for each in sorted(pyenv.glob(f"{version}.*/bin/python"))]
    for candidate in [shutil.which(f"python{version}"), *found]:
        asked = f"import sys; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
        if candidate and run(candidate, "-c", asked).returncode == 0:
            return candidate
    return None


def run(*command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_"))}
    for name, path in (("CONFORMANCE", "conformance"), ("STAND", "stand.py")):
        environment[f"COUNTERSIGN_{name}"] = str(ROOT.parent / path)
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env=environment
    )


def good(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A wheel and an sdist."""
    made = tmp_path_factory.mktemp("dist")
    good(run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(made), str(ROOT)))
    [wheel], [sdist] = made.glob("*.whl"), made.glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}


def test_the_wheel_has_what_it_takes_and_nothing_else(built: dict[str, Path]) -> None:
    with zipfile.ZipFile(built["wheel"]) as wheel:
        names = wheel.namelist()
        [metadata] = [name for name in names if name.endswith("/METADATA")]
        said = wheel.read(metadata).decode()
    assert "countersign/py.typed" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    tops = {name.split("/")[0] for name in names}
    assert tops == {"countersign", metadata.split("/")[0]}
    # `countersign` is another project's name on PyPI.
    assert metadata.startswith("countersign_mfa-")
    assert "Name: countersign-mfa" in said.splitlines()
    assert not re.search(r"pip install '?\"?countersign(?!-mfa)", said)
    sources = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src").rglob("*.py")}
    assert sources <= set(names)
    lines = said.splitlines()
    assert "Requires-Python: >=3.9" in lines
    needed = [line for line in lines if line.startswith("Requires-Dist:")]
    assert [line for line in needed if "extra" not in line] == ["Requires-Dist: httpx<1,>=0.25"]
    assert "License-Expression: Apache-2.0" in lines


def test_the_sdist_has_what_it_takes_and_nothing_else(built: dict[str, Path]) -> None:
    with tarfile.open(built["sdist"]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"README.md", "CHANGELOG.md", "LICENSE", "src/countersign/py.typed"} <= names
    assert not [name for name in names if name.startswith(("tests", "scripts", ".venv"))]


@pytest.mark.parametrize(
    ("version", "kind", "pins", "without"),
    [
        ("3.9", "wheel", OLDEST, []),
        ("3.13", "wheel", [], []),
        ("", "wheel", [], ["test_live.py", "test_sockets.py"]),
        ("", "sdist", [], ["test_live.py", "test_sockets.py"]),
    ],
    ids=[
        "3.9 with the oldest of what it needs",
        "3.13 from the wheel",
        "this Python from the wheel",
        "this Python from the sdist",
    ],
)
def test_the_installed_package_passes(
    version: str,
    kind: str,
    pins: list[str],
    without: list[str],
    built: dict[str, Path],
    tmp_path: Path,
) -> None:
    python = interpreter(version) if version else sys.executable
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    good(run(python, "-m", "venv", str(tmp_path / "venv")))
    inside = str(tmp_path / "venv/bin/python")
    pip = [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if kind == "sdist":
        good(run(*pip, "hatchling==1.27.0"))
        pip.append("--no-build-isolation")
    good(run(*pip, f"{built[kind]}[jwt]", *TOOLS, *pins))

    for path in TESTS.rglob("*.py"):
        copied = tmp_path / "tests" / path.relative_to(TESTS)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copied)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = -q --import-mode=importlib\npythonpath = tests\n"
        "testpaths = tests\nfilterwarnings = error\n"
    )
    where = good(run(inside, "-c", "import countersign; print(countersign.__file__)", cwd=tmp_path))
    assert str(tmp_path / "venv") in where
    # What needs long, and has no more to do with how it was installed.
    left_out = [f"--ignore=tests/{name}" for name in ("test_failover.py", *without)]
    told = good(run(inside, "-m", "pytest", "-p", "no:cacheprovider", *left_out, cwd=tmp_path))
    assert " passed" in told
