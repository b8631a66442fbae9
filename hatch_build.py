"""Builds the machine code of the reader (`native/`) into the package, where there is a Rust compiler.

Without one the package is complete as well: it reads by Polars, more slowly and to the same answers.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FILES = {"win32": ("", "dll"), "darwin": ("lib", "dylib")}
"""What the compiler puts before and after the name of a library; elsewhere `lib` and `so`."""


class NativeCode(BuildHookInterface):  # type: ignore[type-arg]  # hatchling gives no argument
    """Compiles `native/`, which needs no other packages; the library lies beside the module that loads it."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the library; a wheel with it is for this platform alone, a wheel without it for any."""
        before, after = _FILES.get(sys.platform, ("lib", "so"))
        root = Path(self.root)
        library = root / "llmtel" / "sources" / f"libnative.{after}"
        if not self._compiled(root / "native"):
            return
        # whoever loads the library now has the old one or the new one, whole; an old one that does not fit is
        # told by its version
        new = library.with_suffix(f".{os.getpid()}")
        shutil.copyfile(root / f"native/target/release/{before}llmtel_native.{after}", new)
        new.replace(library)
        if version != "editable":
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{platform}"
            build_data["artifacts"].append(f"/llmtel/sources/{library.name}")

    def _compiled(self, crate: Path) -> bool:
        folders = os.pathsep.join((os.environ.get("PATH", ""), f"{Path.home() / '.cargo' / 'bin'}"))
        cargo = shutil.which("cargo", path=folders)
        if cargo is None:
            self.app.display_warning("no Rust compiler (cargo): llmtel reads by Polars, more slowly")
            return False
        command = [cargo, "build", "--release", "--offline", "--locked"]
        done = subprocess.run(command, cwd=crate, capture_output=True, text=True, check=False)  # noqa: S603 (ours)
        if done.returncode != 0:
            self.app.display_warning(f"llmtel reads by Polars, more slowly: {done.stderr.strip()[-500:]}")
        return done.returncode == 0
