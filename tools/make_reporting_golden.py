"""Makes tests/golden/reporting.json: calibration, precision and recall, net benefit, likelihood ratios,
clustered variances and adjusted p values as statsmodels, scikit-learn and dcurves compute them.

Obuchowski's clustered variance is in none of these packages. Its formulas are written out here pair by
pair, as they are printed (Biometrics 53, 1997, doi:10.2307/2533958, section 2).

Run from the repository's root, with scikit-learn, statsmodels and dcurves:
python3 tools/make_reporting_golden.py
"""

import importlib.metadata
import json
import pathlib
import warnings

import dcurves
import numpy as np
import pandas as pd
import statsmodels.api as sm
from sklearn.metrics import average_precision_score, precision_recall_curve
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

OUT = pathlib.Path(__file__).parent.parent / "tests" / "golden" / "reporting.json"


def draw(random, exams, patients, decimals):
    patient = np.repeat(np.arange(patients), exams // patients)
    shared = lambda: 0.7 * random.randn(patients)[patient] + 0.7 * random.randn(exams)
    logits = np.round(-0.3 + 1.8 * shared(), decimals)
    labels = (1 / (1 + np.exp(-1.3 * shared())) < 1 / (1 + np.exp(-logits))).astype(int)
    others = np.round(logits + shared(), decimals)
    return labels, logits, others, patient


def interval(fit, column):
    return [float(fit.params[column]), *fit.conf_int()[column].tolist()]


def calibration(labels, logits, cov):
    binomial, poisson = sm.families.Binomial(), sm.families.Poisson()
    tight = {"tol": 1e-14, "maxiter": 200}
    slope = sm.GLM(labels, sm.add_constant(logits), family=binomial).fit(**tight, **cov)
    ones = np.ones(len(labels))
    intercept = sm.GLM(labels, ones, family=binomial, offset=logits).fit(**tight, **cov)
    expected = np.log(1 / (1 + np.exp(-logits)))
    robust = cov or {"cov_type": "cluster", "cov_kwds": {"groups": np.arange(len(labels))}}
    ratio = sm.GLM(labels, ones, family=poisson, offset=expected).fit(**tight, **robust)
    return {
        "slope": interval(slope, 1), "intercept": interval(intercept, 0),
        "observed_to_expected": np.exp(interval(ratio, 0)).tolist(),
    }


def variance_of_mean(values, patient):
    fit = sm.OLS(values, np.ones(len(values))).fit(
        cov_type="cluster", cov_kwds={"groups": patient})
    return float(fit.cov_params()[0, 0])


def components(labels, scores):
    positives, negatives = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    wins = [[1.0 if scores[i] > scores[j] else 0.5 if scores[i] == scores[j] else 0.0
             for j in negatives] for i in positives]
    return np.array(wins)


def obuchowski(labels, all_scores, patient):
    """The covariance matrix of the areas of several models."""
    positives, negatives = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    m, n, clusters = len(positives), len(negatives), np.unique(patient)
    sums = []
    for scores in all_scores:
        wins = components(labels, scores)
        theta, v10, v01 = wins.mean(), wins.mean(axis=1), wins.mean(axis=0)
        of10 = {c: sum(v10[k] - theta for k, i in enumerate(positives) if patient[i] == c) for c in clusters}
        of01 = {c: sum(v01[k] - theta for k, j in enumerate(negatives) if patient[j] == c) for c in clusters}
        sums.append((of10, of01))
    with10 = [c for c in clusters if any(patient[i] == c for i in positives)]
    with01 = [c for c in clusters if any(patient[j] == c for j in negatives)]
    i10, i01, total = len(with10), len(with01), len(clusters)

    def covariance(a, b):
        s10 = i10 / ((i10 - 1) * m) * sum(a[0][c] * b[0][c] for c in with10)
        s01 = i01 / ((i01 - 1) * n) * sum(a[1][c] * b[1][c] for c in with01)
        s11 = total / (total - 1) * sum(a[0][c] * b[1][c] for c in clusters)
        s11_other = total / (total - 1) * sum(b[0][c] * a[1][c] for c in clusters)
        return s10 / m + s01 / n + (s11 + s11_other) / (m * n)

    return [[covariance(a, b) for b in sums] for a in sums]


def net_benefit(labels, probabilities):
    thresholds = [0.05, 0.2, 0.35, 0.5, 0.8]
    frame = pd.DataFrame({"label": labels, "model": probabilities})
    table = dcurves.dca(data=frame, outcome="label", modelnames=["model"], thresholds=thresholds)
    of = lambda name: table[table.model == name].sort_values("threshold").net_benefit.tolist()
    return {"thresholds": thresholds, "model": of("model"), "all": of("all")}


def case(random, exams, patients, decimals):
    labels, logits, others, patient = draw(random, exams, patients, decimals)
    precision, recall, thresholds = precision_recall_curve(labels, logits)
    called = (logits >= 0).astype(float)
    return {
        "labels": labels.tolist(), "logits": logits.tolist(), "others": others.tolist(),
        "patients": patient.tolist(),
        "calibration": calibration(labels, logits, {}),
        "clustered_calibration": calibration(
            labels, logits, {"cov_type": "cluster", "cov_kwds": {"groups": patient}}),
        "precision": precision.tolist(), "recall": recall.tolist(), "thresholds": thresholds.tolist(),
        "average_precision": float(average_precision_score(labels, logits)),
        "net_benefit": net_benefit(labels, 1 / (1 + np.exp(-logits))),
        "variance_of_mean": variance_of_mean(called, patient),
        "clustered_covariance": obuchowski(labels, [logits, others], patient),
    }


def ratio(successes, cases, other_successes, other_cases):
    low, high = confint_proportions_2indep(
        successes, cases, other_successes, other_cases, method="score", compare="ratio")
    return {"counts": [successes, cases, other_successes, other_cases], "interval": [float(low), float(high)]}


def main():
    warnings.simplefilter("ignore")
    random = np.random.RandomState(21)
    p_values = [0.04, 0.001, 0.03, 0.5, 0.012, 0.03]
    packages = ["statsmodels", "scikit-learn", "dcurves"]
    content = {
        "made_by": ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages),
        "cases": [case(random, *shape) for shape in ((120, 60, 2), (90, 30, 1), (60, 60, 3))],
        "ratios": [ratio(45, 50, 7, 70), ratio(5, 50, 63, 70), ratio(12, 20, 3, 90), ratio(1, 8, 11, 12)],
        "holm": {"p": p_values, "adjusted": multipletests(p_values, method="holm")[1].tolist()},
    }
    OUT.write_text(json.dumps(content) + "\n")
    print(f"{OUT.stat().st_size} bytes")


main()
