"""Makes tests/golden/metrics.json: metrics as scikit-learn and SciPy compute them, and the
published example that DeLong's method is held against.

The example is 113 patients with subarachnoid haemorrhage (Turck et al., Intensive Care Medicine 36,
2010, doi:10.1007/s00134-009-1641-y), published with the R package pROC (Robin et al., BMC
Bioinformatics 12, 2011, doi:10.1186/1471-2105-12-77). Save it first, in R:
  write.csv(pROC::aSAH, "asah.csv")
The expected values are those that pROC 1.19's own tests state.

Run with scikit-learn from the repository's root: python3 tools/make_metrics_golden.py asah.csv
"""

import csv
import json
import pathlib
import sys

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score, brier_score_loss, confusion_matrix, precision_score, recall_score, roc_curve,
)

OUT = pathlib.Path(__file__).parent.parent / "tests" / "golden" / "metrics.json"

PROC = {
    "variance": {
        "wfns": 0.00146991470882363, "ndka": 0.0031908105493913, "s100b": 0.00266868245717244,
    },
    "interval": {"ndka": [0.501244999271703, 0.611957994579946, 0.722670989888189]},
    "tests": [
        {"first": "wfns", "second": "s100b", "z": 2.20898359144091, "p": 0.0271757822291882,
         "low": 0.0104061769564846, "high": 0.174214419249478},
        {"first": "wfns", "second": "ndka", "z": 2.79777591868904, "p": 0.00514557970691098,
         "low": 0.0634011709339876, "high": 0.3600405634833566},
        {"first": "ndka", "second": "s100b", "z": -1.39077002573558, "p": 0.164295175223054,
         "low": -0.2876917446341914, "high": 0.0488706064228094},
    ],
}


def delong(path):
    with open(path) as file:
        rows = list(csv.DictReader(file))
    column = lambda name: [float(row[name]) for row in rows]
    return {
        "labels": [int(row["outcome"] == "Poor") for row in rows],
        "scores": {name: column(name) for name in ("wfns", "s100b", "ndka")},
        **PROC,
    }


def normal():
    z = np.concatenate([np.linspace(-8, 8, 65), [-37, -20, -3.0000001, 0.001, 1.959963984540054]])
    p = np.concatenate([[1e-300, 1e-20, 1e-8], np.linspace(0.005, 0.995, 100), [1 - 1e-12]])
    return {
        "z": z.tolist(), "cdf": stats.norm.cdf(z).tolist(),
        "p": p.tolist(), "quantile": stats.norm.ppf(p).tolist(),
    }


def cases(random):
    made = []
    for n, share, decimals in ((60, 0.4, 2), (200, 0.8, 4), (25, 0.2, 1)):
        labels = (random.rand(n) < share).astype(int)
        scores = np.round(1 / (1 + np.exp(-(1.5 * labels - 1 + random.randn(n)))), decimals)
        bins = [
            dict(zip(("positive_share", "mean_probability"), map(np.ndarray.tolist, curve)), bins=n_bins)
            for n_bins in (5, 10)
            for curve in [calibration_curve(labels, scores, n_bins=n_bins)]
        ]
        fpr, tpr, thresholds = roc_curve(labels, scores, drop_intermediate=False)
        made.append({
            "labels": labels.tolist(), "probabilities": scores.tolist(),
            "brier": float(brier_score_loss(labels, scores)), "calibration": bins,
            "youden": {"at": float(thresholds[np.argmax(tpr - fpr)]), "index": float(max(tpr - fpr))},
            "thresholds": [at_threshold(labels, scores >= at, at) for at in (0.3, 0.5, 0.7)],
        })
    return made


def at_threshold(labels, called, at):
    called = called.astype(int)
    tn, fp, fn, tp = confusion_matrix(labels, called).ravel().tolist()
    interval = stats.binomtest(tp, tp + fn).proportion_ci(method="wilson")
    return {
        "threshold": at, "tn": tn, "fp": fp, "fn": fn, "tp": tp,
        "sensitivity": float(recall_score(labels, called)),
        "specificity": float(recall_score(labels, called, pos_label=0)),
        "accuracy": float(accuracy_score(labels, called)),
        "ppv": float(precision_score(labels, called)),
        "npv": float(precision_score(labels, called, pos_label=0)),
        "sensitivity_interval": [float(interval.low), float(interval.high)],
    }


def logistic(random):
    made = []
    for name, n, share, scale in (
        ("three planes", 100, 0.3, 1), ("a rare class", 120, 0.05, 1), ("far from 0", 40, 0.5, 100),
    ):
        labels = (random.rand(n) < share).astype(int)
        features = scale / (1 + np.exp(-(2 * labels[:, None] - 1 + random.randn(n, 3))))
        made.append(fitted(name, features, labels, 1.0))
    features = np.array([[0.1], [0.2], [0.3], [0.7], [0.8], [0.9]])
    made.append(fitted("separable", features, np.array([0, 0, 0, 1, 1, 1]), 1.0))
    made.append(fitted("separable, hardly penalised", features, np.array([0, 0, 0, 1, 1, 1]), 1e4))
    return made


def fitted(name, features, labels, c):
    tight = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-14, max_iter=1000)
    tight.fit(features, labels)
    # The default solver; its default tolerance leaves it up to 3e-4 off for a rare class.
    plain = LogisticRegression(C=c, tol=1e-9, max_iter=10000).fit(features, labels)
    return {
        "name": name, "features": features.tolist(), "labels": labels.tolist(), "c": c,
        "weights": tight.coef_[0].tolist(), "intercept": float(tight.intercept_[0]),
        "probabilities": plain.predict_proba(features)[:, 1].tolist(),
    }


def main():
    random = np.random.RandomState(11)
    content = {
        "made_by": f"scikit-learn {sklearn.__version__}, SciPy {scipy.__version__}, pROC 1.19",
        "delong": delong(sys.argv[1]),
        "normal": normal(),
        "cases": cases(random),
        "logistic": logistic(random),
    }
    OUT.write_text(json.dumps(content) + "\n")
    print(f"{OUT.stat().st_size} bytes")


main()
