"""Runs a job's script as the main program, and writes why it failed to `failure`."""

import runpy
import sys
import traceback
from pathlib import Path


def main() -> None:
    """Run `sys.argv[1]` with the arguments that follow."""
    del sys.argv[0]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    failure = Path.cwd() / "failure"
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as error:
        if error.code not in (None, 0):
            failure.write_text(f"SystemExit: {error.code}")
        raise
    except BaseException as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)]
        own = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == sys.argv[0]
        ]
        failure.write_text(
            f"Error Category: UNCLASSIFIED_ERROR; Failed Line Number: {(own or lines)[-1]}; "
            f"{type(error).__name__}: {error}"
        )
        raise


if __name__ == "__main__":
    main()
