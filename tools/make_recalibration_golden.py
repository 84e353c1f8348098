"""Makes tests/golden/recalibration.json: Platt's scaling, temperature scaling and isotonic regression as
scikit-learn and statsmodels compute them.

scikit-learn's Platt scaling stops within a tolerance of the best slope, so the numbers are those of
statsmodels with the same targets; that both are the same map is checked here.

Run from the repository's root, with scikit-learn and statsmodels:
python3 tools/make_recalibration_golden.py
"""

import importlib.metadata
import json
import pathlib

import numpy as np
import statsmodels.api as sm
from sklearn.calibration import _sigmoid_calibration
from sklearn.isotonic import IsotonicRegression

OUT = pathlib.Path(__file__).parent.parent / "tests" / "golden" / "recalibration.json"


def fit(targets, design):
    family = sm.families.Binomial()
    return sm.GLM(targets, design, family=family).fit(tol=1e-14, maxiter=200).params


def platt(labels, logits):
    positives, negatives = labels.sum(), (1 - labels).sum()
    targets = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    intercept, slope = fit(targets, sm.add_constant(logits))
    a, b = _sigmoid_calibration(logits, labels)
    assert abs(a + slope) < 1e-3 * slope and abs(b + intercept) < 1e-3, (a, b, slope, intercept)
    return {"slope": float(slope), "intercept": float(intercept)}


def isotonic(labels, logits, at):
    model = IsotonicRegression(out_of_bounds="clip").fit(logits, labels)
    return {
        "scores": model.X_thresholds_.tolist(), "values": model.y_thresholds_.tolist(),
        "predicted": model.predict(at).tolist(),
    }


def case(random, exams, decimals, spread):
    logits = np.round(spread * random.randn(exams) - 0.4, decimals)
    labels = (random.rand(exams) < 1 / (1 + np.exp(-logits / spread))).astype(int)
    at = np.round(np.linspace(-4 * spread, 4 * spread, 41), 3)
    return {
        "labels": labels.tolist(), "logits": logits.tolist(), "at": at.tolist(),
        "platt": platt(labels, logits),
        "temperature": float(1 / fit(labels, logits[:, None])[0]),
        "isotonic": isotonic(labels, logits, at),
    }


def main():
    random = np.random.RandomState(22)
    packages = ["statsmodels", "scikit-learn"]
    content = {
        "made_by": ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages),
        "cases": [case(random, *shape) for shape in ((120, 1, 3.0), (400, 3, 6.0), (25, 2, 1.0))],
    }
    OUT.write_text(json.dumps(content) + "\n")
    print(f"{OUT.stat().st_size} bytes")


main()
