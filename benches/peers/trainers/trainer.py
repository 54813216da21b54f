"""The project's own trainer."""

import tempfile
from pathlib import Path

from task import ROOT
from trainers import cargo


def train(task):
    """Runs the trainer with the flags that say what the others do."""
    settings = task.settings | {"threads": task.threads, "data": task.data.resolve()}
    # It has the recipe's schedule, for which there is no flag here.
    del settings["schedule"]
    settings["hidden"] = ",".join(map(str, settings["hidden"])) or "none"
    flags = ["--recipe", task.recipe, "--json", "--quiet"]
    for name, value in settings.items():
        flags += [f"--{name.replace('_', '-')}", str(value)]

    cargo.build(ROOT, "--package", "trainer")
    with tempfile.TemporaryDirectory() as folder:
        flags += ["--out", str(Path(folder) / "run")]
        summary = cargo.run(ROOT, "--package", "trainer", "--", *flags)
    return task.result(
        summary["version"], summary["train_seconds"], summary["test_accuracy"]
    )
