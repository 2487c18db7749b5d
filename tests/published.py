"""What others publish and tests compare ours with: npm packages of `devDependencies`, as package-lock.json pins them.

Kept in the person's cache by the lock's digest; fetched by npm where they are not there. Nothing is skipped
for want of them: on CI npm is there, and elsewhere the failure says what to install.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
_NAMES = ("package.json", "package-lock.json", ".npmrc")


@cache
def package(name: str) -> Path:
    """The folder of a package: `package("@octokit/graphql-schema") / "schema.graphql"`."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)  # tests have another HOME
    digest = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = home / ".cache" / "agent-orchestrator" / "published" / digest
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:  # workers of one run start together
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            for one in _NAMES:
                shutil.copy(ROOT / one, folder)
            argv = ["npm", "ci", "--ignore-scripts"]
            done = subprocess.run(
                argv,
                cwd=folder,
                env={**os.environ, "HOME": str(home)},
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert done.returncode == 0, f"npm could not fetch what is published: {done.stderr[-1000:]}"
            (folder / "done").touch()
    return folder / "node_modules" / name
