"""The command that comes with the package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any, Union

from ._brevity import BrevityError


class CommandError(BrevityError):
    """The command failed; ``status`` is its exit status: 1 the work failed, 2 wrong usage
    or config, 130 interrupted."""

    def __init__(self, message: str, status: int):
        super().__init__(message)
        self.status = status


def program() -> str:
    """The path of the command: that of this environment, else the one on the PATH."""
    name = "brevity.exe" if os.name == "nt" else "brevity"
    for folder in (sysconfig.get_path("scripts"), os.path.dirname(sys.executable)):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            return path
    found = shutil.which("brevity")
    if found is None:
        raise CommandError("the command `brevity` is neither beside Python nor on the PATH", 127)
    return found


def command(
    *args: Any, cwd: Union[str, Path, None] = None, binary: bool = False, show: bool = False
) -> Any:
    """Runs ``brevity ARGS...`` and returns what it prints, as text or, with ``binary``, as
    bytes. ``show`` lets its progress through to standard error. An interrupt ends it as
    it would in a terminal: what can be continued is kept.

        >>> import brevity
        >>> brevity.command("--version").split()[0]
        'brevity'
    """
    words = [program(), *(os.fspath(a) if isinstance(a, os.PathLike) else str(a) for a in args)]
    process = subprocess.Popen(
        words,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=None if show else subprocess.PIPE,
    )
    try:
        out, told = process.communicate()
    except BaseException:
        # The terminal has told it too; otherwise it is told now.
        process.terminate()
        process.wait()
        raise
    if process.returncode != 0:
        message = (told or b"").decode("utf-8", "replace").strip().splitlines()
        text = message[-1] if message else f"brevity ended with status {process.returncode}"
        text = text[len("brevity: ") :] if text.startswith("brevity: ") else text
        raise CommandError(text, process.returncode)
    return out if binary else out.decode("utf-8")
