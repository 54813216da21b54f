"""Builds and runs Rust programs."""

import json
import subprocess

from task import Skipped


def build(folder, *flags):
    """Builds what the flags name, in this folder; what cannot be built is skipped."""
    command = ["cargo", "build", "--release", "--locked", "--quiet", *flags]
    try:
        subprocess.run(command, cwd=folder, check=True)
    except FileNotFoundError:
        raise Skipped("there is no cargo") from None
    except subprocess.CalledProcessError:
        raise Skipped("cargo cannot build it") from None


def run(folder, *flags, given=None):
    """Runs what was built; the JSON that it prints."""
    command = ["cargo", "run", "--release", "--locked", "--quiet", *flags]
    done = subprocess.run(
        command, cwd=folder, input=given, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)
