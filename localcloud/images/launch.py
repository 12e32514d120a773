"""Starts one program of an image: `launch.py randomcutforest.serve`.

The programs run in their image's environment, without this project on the import path, so that the user's
code finds only what the image would have.
"""

import importlib.util
import runpy
import sys
from pathlib import Path

PACKAGE = "laptop_images"


def main() -> None:
    """Make this folder importable as a package, and run the named module of it."""
    folder = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != folder]
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None:
        raise SystemExit(f"{folder} has no package")
    sys.modules[PACKAGE] = importlib.util.module_from_spec(spec)
    runpy.run_module(f"{PACKAGE}.{sys.argv[1]}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
