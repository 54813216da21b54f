"""What kernels.py and train.py share: threads, libraries, versions, results."""

import argparse
import importlib
import json
import os
import platform
import sys
from datetime import datetime, timezone
from pathlib import Path


def limit_threads(threads):
    """Limits all libraries to so many threads; call it before they are imported."""
    for name in ("OMP", "MKL", "OPENBLAS", "RAYON", "CANDLE"):
        os.environ[f"{name}_NUM_THREADS"] = str(threads)
    # The size of XLA's thread pool; one thread needs no pool at all.
    os.environ["NPROC"] = str(threads)
    eigen = "false" if threads == 1 else "true"
    flags = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen={eigen}".strip()
    os.environ["JAX_PLATFORMS"] = "cpu"
    # NumPy is to choose the kernels for this CPU itself.
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(name, None)


def import_libraries(names, threads):
    """The modules that are installed, set up, by name; a line on stderr for others."""
    libraries = {}
    for name in names:
        try:
            libraries[name] = importlib.import_module(name)
        except ImportError as error:
            print(f"{name} is skipped: {error}", file=sys.stderr)
    if "torch" in libraries:
        libraries["torch"].set_num_threads(threads)
    if "jax" in libraries:
        # Every call is waited for, and to hand it to another thread takes time.
        libraries["jax"].config.update("jax_cpu_enable_async_dispatch", False)
    return libraries


def add_arguments(parser, known):
    """Adds the flags of both scripts; `known` are the libraries to choose from."""

    def libraries(text):
        names = text.split(",")
        for name in names:
            if name not in known:
                error = f"`{name}` is none of {', '.join(known)}"
                raise argparse.ArgumentTypeError(error)
        return names

    parser.add_argument(
        "--libraries",
        metavar="NAMES",
        type=libraries,
        default=list(known),
        help=f"some of {','.join(known)}; all of them by default",
    )
    parser.add_argument("--json", metavar="FILE", help="write the results there too")


def cpu_name():
    """The name of the processor, as well as the system knows it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def circumstances(versions):
    """When, on what and with what the measurements were made."""
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "cpu": cpu_name(),
        "versions": versions,
    }


def table(head, rows):
    """A Markdown table: the first column is text, the others are numbers."""
    ruler = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ruler, *rows])


def write_json(path, value):
    """Writes a JSON file that people can read, too."""
    Path(path).write_text(json.dumps(value, indent=2) + "\n")
