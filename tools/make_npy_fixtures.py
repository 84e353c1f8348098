"""Makes tests/fixtures/npy: small files that NumPy itself writes, to hold the reader against.

Run with NumPy 2 from the repository's root: python3 tools/make_npy_fixtures.py
The values are those of `expected` in tests/data/npy_test.ts.
"""

import io
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).parent.parent / "tests" / "fixtures" / "npy"
SHAPE = (2, 3, 4)
I = np.arange(24)
VALUES = {
    "bool": I % 3 == 0,
    "int8": I * 5 - 60,
    "int16": I * 2500 - 30000,
    "int32": (I - 12) * 170_000_000,
    "int64": (I - 12) * 2**49 + I,
    "uint8": I * 11,
    "uint16": I * 2800,
    "uint32": I * 180_000_000,
    "uint64": I * 2**48 + I,
    "float16": I * 0.75 - 8,
    "float32": I * 0.75 - 8,
    "float64": I / 3,
}


def save(name, array, version=(1, 0), **options):
    with open(FOLDER / f"{name}.npy", "wb") as file:
        np.lib.format.write_array(file, array, version=version, **options)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.npy"):
        old.unlink()

    for name, values in VALUES.items():
        for end, sign in (("le", "<"), ("be", ">")):
            dtype = np.dtype(name).newbyteorder(sign)
            if dtype.itemsize == 1 and end == "be":
                continue
            array = values.astype(dtype).reshape(SHAPE)
            save(f"{name}_{end}_c", array)
            save(f"{name}_{end}_f", np.asfortranarray(array))

    grey = VALUES["uint8"].astype(np.uint8)
    for major in (2, 3):
        save(f"version{major}_uint8", grey.reshape(SHAPE), version=(major, 0))
        floats = VALUES["float32"].astype(">f4").reshape(SHAPE)
        save(f"version{major}_float32_be_f", np.asfortranarray(floats), version=(major, 0))

    save("axes0", np.float32(2.5))
    save("axes1", grey[:3])
    save("axes1_f", np.asfortranarray(grey[:3]))
    save("axes5_f", np.asfortranarray(grey.reshape(1, 2, 3, 1, 4)))
    save("empty", np.zeros((0, 256, 256), np.uint8))

    # As Python 2 wrote it: other spacing, a long integer, padded to 16 bytes.
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 4L), }"
    header += b" " * (-(len(header) + 11) % 16) + b"\n"
    data = VALUES["float32"][:12].astype("<f4").tobytes()
    length = len(header).to_bytes(2, "little")
    (FOLDER / "python2.npy").write_bytes(b"\x93NUMPY\x01\x00" + length + header + data)

    save("refused_object", np.array([1, "a", None], dtype=object), allow_pickle=True)
    save("refused_complex", np.array([1 + 2j], dtype="<c8"))
    save("refused_structured", np.zeros(2, dtype=[("x", "<f4"), ("y", "<i2")]))
    save("refused_bytes", np.array([b"knee"]))
    save("refused_unicode", np.array(["knee"]))
    save("refused_datetime", np.array(["2026-01-01"], dtype="datetime64[D]"))
    save("refused_void", np.zeros(2, dtype="V3"))
    if np.dtype(np.longdouble).itemsize == 16:
        save("refused_longdouble", np.zeros(2, dtype=np.longdouble))

    archive = io.BytesIO()
    np.savez(archive, grey[:3])
    (FOLDER / "refused_npz.npy").write_bytes(archive.getvalue())

    size = sum(file.stat().st_size for file in FOLDER.glob("*.npy"))
    print(f"{len(list(FOLDER.glob('*.npy')))} files, {size} bytes")


main()
