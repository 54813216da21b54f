"""The learning rate of each step by PyTorch's schedulers, to compare this crate's with.

    pip install -r requirements.txt
    python schedules.py

writes schedules.json beside this file, the same bytes each time: a list of cases

    schedule                  as this crate reads it
    exact                     whether all its parameters are exact in f32, as those
                              are that are given
    lr, epochs, steps         steps of the whole run
    rates [steps]             the rate with which each step is taken

The warm-up is PyTorch's LinearLR from 1/(w + 1), and another scheduler after it.
"""

import json
from pathlib import Path

import torch
from torch.optim import lr_scheduler as schedulers

LR, EPOCHS, STEPS = 0.5, 8, 40


def linear(optimizer, first):
    """Constant for `first` steps, then straight down to 0."""
    down = {"start_factor": 1.0, "end_factor": 0.0}
    if first == 0:
        return schedulers.LinearLR(optimizer, **down, total_iters=STEPS)
    return schedulers.SequentialLR(
        optimizer,
        [
            schedulers.ConstantLR(optimizer, factor=1.0, total_iters=first),
            schedulers.LinearLR(optimizer, **down, total_iters=STEPS - first),
        ],
        milestones=[first],
    )


def warm(optimizer, steps, after):
    """A scheduler behind a warm-up of that many steps."""
    up = schedulers.LinearLR(optimizer, 1 / (steps + 1), total_iters=steps)
    return schedulers.SequentialLR(optimizer, [up, after], milestones=[steps])


def one_cycle(optimizer, **arguments):
    return schedulers.OneCycleLR(
        optimizer, max_lr=LR, total_steps=STEPS, cycle_momentum=False, **arguments
    )


# The schedule here; PyTorch's; whether PyTorch's moves with the epoch.
CASES = [
    ({"kind": "constant"}, lambda o: schedulers.ConstantLR(o, 1.0), True),
    ({"kind": "step", "every": 3}, lambda o: schedulers.StepLR(o, 3), True),
    (
        {"kind": "step", "every": 2, "factor": 0.75},
        lambda o: schedulers.StepLR(o, 2, 0.75),
        True,
    ),
    (
        {"kind": "exponential", "factor": 0.875},
        lambda o: schedulers.ExponentialLR(o, 0.875),
        True,
    ),
    ({"kind": "linear"}, lambda o: linear(o, 0), False),
    ({"kind": "linear", "from": 0.25}, lambda o: linear(o, STEPS // 4), False),
    ({"kind": "cosine"}, lambda o: schedulers.CosineAnnealingLR(o, STEPS), False),
    ({"kind": "one-cycle"}, one_cycle, False),
    (
        {"kind": "one-cycle", "pct-start": 0.625, "div-factor": 4, "final-div-factor": 8},
        lambda o: one_cycle(o, pct_start=0.625, div_factor=4, final_div_factor=8),
        False,
    ),
    # The shares of a cycle need not be whole steps.
    (
        {"kind": "one-cycle", "pct-start": 0.3125, "final-div-factor": 100},
        lambda o: one_cycle(o, pct_start=0.3125, final_div_factor=100),
        False,
    ),
    (
        {"kind": "constant", "warmup": 0.25},
        lambda o: warm(o, 10, schedulers.ConstantLR(o, 1.0)),
        False,
    ),
    (
        {"kind": "cosine", "warmup": 0.25},
        lambda o: warm(o, 10, schedulers.CosineAnnealingLR(o, STEPS - 10)),
        False,
    ),
]

cases = []
for schedule, scheduler, by_epoch in CASES:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)
    scheduler = scheduler(optimizer)
    rates = []
    for step in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        last = step + 1 == STEPS
        if not last and (not by_epoch or (step + 1) % (STEPS // EPOCHS) == 0):
            scheduler.step()
    # The defaults of 0.1 and 0.3.
    exact = schedule not in ({"kind": "step", "every": 3}, {"kind": "one-cycle"})
    cases.append(
        {
            "schedule": schedule,
            "exact": exact,
            "lr": LR,
            "epochs": EPOCHS,
            "steps": STEPS,
            "rates": rates,
        }
    )

rows = ",\n".join(json.dumps(case) for case in cases)
Path(__file__).with_name("schedules.json").write_text(f"[\n{rows}\n]\n")
