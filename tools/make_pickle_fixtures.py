"""Makes tests/fixtures/pickles: small volumes as Python and NumPy themselves pickle them.

Run from the repository's root with each Python whose files are to be read, such as one with NumPy 1,
one with NumPy 2 and Python 2: python3 tools/make_pickle_fixtures.py
Each writes its own files. All hold the same values, 10 times 0 to 23 as 2 slices of 3 x 4.
"""

import os
import pickle
import sys

import numpy as np

FOLDER = os.path.join(os.path.dirname(__file__), "..", "tests", "fixtures", "pickles")
VOLUME = (np.arange(24) * 10).reshape(2, 3, 4)


def save(name, array, protocol):
    writer = "python%d-numpy%s" % (sys.version_info[0], np.__version__.split(".")[0])
    path = os.path.join(FOLDER, "%s-%s-%d.pck" % (writer, name, protocol))
    with open(path, "wb") as file:
        pickle.dump(array, file, protocol)


def main():
    if not os.path.isdir(FOLDER):
        os.makedirs(FOLDER)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        save("uint16", VOLUME.astype("<u2"), protocol)
        save("fortran", np.asfortranarray(VOLUME.astype("<i2")), protocol)
    for dtype in ["|u1", ">i2", "<i4", ">u4", "<i8", "<f2", ">f4", "<f8"]:
        save(np.dtype(dtype).name + ("be" if ">" in dtype else ""), VOLUME.astype(dtype), 2)


if __name__ == "__main__":
    main()
