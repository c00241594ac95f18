"""Says what a fresh machine lacks before pip fails on it; needs nothing but the standard library of any Python 3."""

import os
import shutil
import sys
import sysconfig


def missing():
    """Return one sentence for each thing that must be installed first."""
    found = []
    version = sys.version_info[:2]
    if not (3, 11) <= version < (3, 13):
        got = ".".join(map(str, version))
        found.append(
            "Python " + got + " is not supported; install 3.11 or 3.12 and call `make PYTHON=/path/to/python3.11`."
        )
    if not any(shutil.which(name) for name in (os.environ.get("CC") or "cc", "gcc", "clang")):
        found.append("There is no C compiler, and durable-rules is built from source. Debian: apt-get install gcc.")
    header = os.path.join(sysconfig.get_paths()["include"], "Python.h")  # noqa: PTH118
    if not os.path.exists(header):  # noqa: PTH110
        found.append("There is no " + header + ", which durable-rules needs. Debian: apt-get install python3-dev.")
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        found.append("This Python cannot make a virtual environment. Debian: apt-get install python3-venv.")
    return found


if __name__ == "__main__":
    problems = missing()
    for problem in problems:
        sys.stderr.write("tonmeister setup: " + problem + "\n")
    sys.exit(2 if problems else 0)
