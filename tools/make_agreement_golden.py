"""Makes tests/golden/agreement.json: Cohen's kappa with its interval and McNemar's exact test as statsmodels
computes them; scikit-learn must give the same kappas.

Run from the repository's root, with scikit-learn and statsmodels: python3 tools/make_agreement_golden.py
"""

import importlib.metadata
import json
import pathlib

import numpy as np
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.inter_rater import cohens_kappa

OUT = pathlib.Path(__file__).parent.parent / "tests" / "golden" / "agreement.json"

# Both yes, the first only, the second only, neither: of few cases, of many, of raters worse than chance.
TABLES = [
    (20, 5, 10, 15),
    (45, 15, 25, 15),
    (25, 35, 5, 35),
    (101, 121, 59, 33),
    (59, 6, 16, 80),
    (600, 900, 700, 300),
    (3, 0, 4, 50),
    (0, 7, 5, 0),
]


def of_table(both, first_only, second_only, neither):
    table = np.array([[both, first_only], [second_only, neither]])
    kappa = cohens_kappa(table)
    first = [1] * (both + first_only) + [0] * (second_only + neither)
    second = [1] * both + [0] * first_only + [1] * second_only + [0] * neither
    assert abs(cohen_kappa_score(first, second) - kappa.kappa) < 1e-12
    return {
        "decisions": [both, first_only, second_only, neither],
        "kappa": [float(kappa.kappa), float(kappa.kappa_low), float(kappa.kappa_upp)],
        "p": float(mcnemar(table, exact=True).pvalue),
    }


versions = {name: importlib.metadata.version(name) for name in ("statsmodels", "scikit-learn")}
golden = {"versions": versions, "tables": [of_table(*table) for table in TABLES]}
OUT.write_text(json.dumps(golden, indent=1) + "\n")
