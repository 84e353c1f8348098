"""Writes tests/fixtures/numpy_dataset: a tiny dataset in MRNet's layout, one plane, made by NumPy alone.

Every second exam has the finding and carries a bright square, so that there is something to learn.
Run from the project's root: python3 tools/make_numpy_dataset.py
"""

from pathlib import Path

import numpy as np

ROOT = Path("tests/fixtures/numpy_dataset")
SIDE = 64
PLANE = "coronal"
COUNTS = {"train": (0, 8), "valid": (8, 4)}

random = np.random.RandomState(20180101)
for split, (first, count) in COUNTS.items():
    labels = [index % 2 for index in range(count)]
    for index, label in enumerate(labels):
        slices = 2 + index % 2
        volume = random.randint(0, 80, (slices, SIDE, SIDE)).astype(np.uint8)
        if label:
            volume[1, 20:44, 20:44] = 240
        path = ROOT / split / PLANE / f"{first + index:04d}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, volume)
    for task in ("abnormal", "acl", "meniscus"):
        rows = "".join(f"{first + index:04d},{label}\n" for index, label in enumerate(labels))
        (ROOT / f"{split}-{task}.csv").write_text(rows)
