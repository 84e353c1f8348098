"""Makes tests/golden/roc.json: areas and curves as scikit-learn computes them.

Run with scikit-learn from the repository's root: python3 tools/make_roc_golden.py
"""

import json
import pathlib

import numpy as np
import sklearn
from sklearn.metrics import roc_auc_score, roc_curve

OUT = pathlib.Path(__file__).parent.parent / "tests" / "golden" / "roc.json"


def case(name, labels, scores):
    labels = [int(label) for label in labels]
    scores = [float(score) for score in scores]
    fpr, tpr, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    # The area of each beginning, undefined until both classes have occurred.
    running = [
        float(roc_auc_score(labels[:n], scores[:n])) if len(set(labels[:n])) == 2 else None
        for n in range(1, len(labels) + 1)
    ]
    return {
        "name": name,
        "labels": labels,
        "scores": scores,
        "auc": float(roc_auc_score(labels, scores)),
        "running": running,
        "fpr": fpr.tolist(),
        "tpr": tpr.tolist(),
        # The first is infinite, which JSON cannot say.
        "finite_thresholds": thresholds[1:].tolist(),
    }


def main():
    random = np.random.RandomState(7)
    labels = lambda n, share: (random.rand(n) < share).astype(int)
    few = labels(60, 0.2)
    many = labels(60, 0.8)
    cases = [
        case("perfect", [0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]),
        case("reversed", [1, 1, 0, 0], [0.1, 0.2, 0.8, 0.9]),
        case("all tied", [0, 1, 0, 1, 1], [0.5] * 5),
        case("negative scores", [1, 0, 1, 0], [-3, -7, 2, 2]),
        case("no ties", few, random.rand(60)),
        case("ties of one decimal", few, np.round(0.3 * few + random.rand(60), 1)),
        case("ties of few values", many, random.randint(0, 4, 60)),
        case("sigmoids near 0 and 1", many, 1 / (1 + np.exp(-40 * random.randn(60)))),
    ]
    content = {"made_by": f"scikit-learn {sklearn.__version__}", "cases": cases}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(content) + "\n")
    print(f"{len(cases)} cases, {OUT.stat().st_size} bytes")


main()
