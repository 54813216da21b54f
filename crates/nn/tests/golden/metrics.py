"""Metrics of random predictions by scikit-learn, to compare this crate's with.

    pip install -r requirements.txt
    python metrics.py

writes metrics.json beside this file, the same bytes each time: a list of cases

    classes, counts [samples][classes], total, labels [samples]
        probabilities are counts / total, exact in f32, a row summing to 1
    confusion [classes][classes], accuracy
    precision, recall, f1, support [classes], and macro and weighted, each
        [precision, recall, f1]; a ratio of nothing to nothing is 0
    top_k                   of k = 1, 2, 3
    auc [classes]           null where a class has no samples
    macro_auc               of the classes that have samples
    log_loss
    calibration [8, 10, 15] expected calibration error, by that many bins

Of equally probable classes scikit-learn's top k takes the last first, so it is
given the classes in reverse: the first is then taken first, as argmax does. It
has no expected calibration error, which is summed from its calibration curve.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from sklearn import metrics
from sklearn.calibration import calibration_curve

SEED = 20


def calibration_error(confidence, correct, bins):
    """Shares of right ones and mean confidences, a bin, weighted by its samples."""
    right, sure = calibration_curve(correct, confidence, n_bins=bins, pos_label=True)
    # As the curve cuts: the upper end is part of a bin.
    inner = np.linspace(0, 1, bins + 1)[1:-1]
    _, samples = np.unique(np.searchsorted(inner, confidence), return_counts=True)
    return np.sum(samples * np.abs(right - sure)) / len(confidence)


def case(random, samples, classes, total, sharpness, absent=()):
    """A case whose labels the probabilities tell of. A fifth of the labels is then
    drawn again, so that some bins are too sure of them and others not enough."""
    present = [c for c in range(classes) if c not in absent]
    labels = random.choice(present, samples)
    weight = random.gamma(0.5, size=(samples, classes)) + 1e-2
    weight[np.arange(samples), labels] += sharpness * random.random(samples)
    weight /= weight.sum(axis=1, keepdims=True)
    # One count to every class first, so that no logarithm is of 0.
    counts = 1 + np.array([random.multinomial(total - classes, row) for row in weight])
    labels = np.where(random.random(samples) < 0.2, random.choice(present, samples), labels)
    p = counts / total
    predicted = p.argmax(axis=1)
    names = list(range(classes))

    def scores(average):
        return metrics.precision_recall_fscore_support(
            labels, predicted, labels=names, average=average, zero_division=0
        )

    precision, recall, f1, support = scores(None)
    areas = [
        None if c in absent else float(metrics.roc_auc_score(labels == c, p[:, c])) for c in names
    ]
    if absent:
        macro = float(np.mean([area for area in areas if area is not None]))
    else:
        macro = float(metrics.roc_auc_score(labels, p, multi_class="ovr", average="macro"))
    top_k = [
        metrics.top_k_accuracy_score(classes - 1 - labels, p[:, ::-1], k=k, labels=names)
        for k in (1, 2, 3)
    ]
    return {
        "classes": classes,
        "total": total,
        "counts": counts.tolist(),
        "labels": labels.tolist(),
        "confusion": metrics.confusion_matrix(labels, predicted, labels=names).tolist(),
        "accuracy": float(metrics.accuracy_score(labels, predicted)),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "support": support.tolist(),
        "macro": [float(score) for score in scores("macro")[:3]],
        "weighted": [float(score) for score in scores("weighted")[:3]],
        "top_k": top_k,
        "auc": areas,
        "macro_auc": macro,
        "log_loss": float(metrics.log_loss(labels, p, labels=names)),
        "calibration": [
            float(calibration_error(p.max(axis=1), predicted == labels, bins))
            for bins in (8, 10, 15)
        ],
    }


warnings.simplefilter("ignore")  # top 3 of 3 classes is everything
random = np.random.default_rng(SEED)
cases = [
    # Coarse, so that much is tied and confidences lie on the edges of bins.
    case(random, 60, 3, 16, 2.0),
    case(random, 120, 10, 4096, 30.0, absent=(7,)),
]
lines = ",\n".join(
    "{\n" + ",\n".join(f'"{key}": {json.dumps(value)}' for key, value in c.items()) + "\n}"
    for c in cases
)
Path(__file__).with_name("metrics.json").write_text(f"[\n{lines}\n]\n")
