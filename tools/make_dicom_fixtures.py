"""Makes tests/fixtures/dicom: one MR slice in every transfer syntax that is read, and in one that is not.

Run from the repository's root with Python that has pydicom 3 and imagecodecs, whose encoders and
decoders are those of other people than ours: python3 tools/make_dicom_fixtures.py
The slice is that of `VALUES` in tests/imaging/transfer_syntaxes_test.ts; `decoded.json` says what
imagecodecs makes of the files that lose something.
"""

import json
import pathlib

import imagecodecs
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate

FOLDER = pathlib.Path(__file__).parent.parent / "tests" / "fixtures" / "dicom"
ROWS, COLUMNS = 40, 48
R, C = np.mgrid[0:ROWS, 0:COLUMNS]
VALUES = ((R * 37 + C * 23 + R * C % 17 * 9) % 4096).astype("<u2")
NATIVE = {
    "implicit_le": "1.2.840.10008.1.2",
    "explicit_le": "1.2.840.10008.1.2.1",
    "deflated_le": "1.2.840.10008.1.2.1.99",
    "explicit_be": "1.2.840.10008.1.2.2",
}
JPEG12 = {"bitspersample": 12}
# Name, transfer syntax, stream, decoder of what loses something.
COMPRESSED = [
    ("jpeg_baseline", "50", lambda v: imagecodecs.jpeg8_encode((v >> 4).astype("u1"), level=90),
     imagecodecs.jpeg8_decode),
    ("jpeg_extended_8bit", "51", lambda v: imagecodecs.jpeg8_encode((v >> 4).astype("u1"), level=90),
     imagecodecs.jpeg8_decode),
    ("jpeg_extended_12bit", "51", lambda v: imagecodecs.jpeg8_encode(v, level=90, **JPEG12), None),
    ("jpeg_lossless", "57",
     lambda v: imagecodecs.jpeg8_encode(v, lossless=True, predictor=6, **JPEG12), None),
    ("jpeg_lossless_sv1", "70",
     lambda v: imagecodecs.jpeg8_encode(v, lossless=True, predictor=1, **JPEG12), None),
    ("jpegls_lossless", "80", imagecodecs.jpegls_encode, None),
    ("jpegls_near_lossless", "81", lambda v: imagecodecs.jpegls_encode(v, level=3),
     imagecodecs.jpegls_decode),
    ("jpeg2000_lossless", "90",
     lambda v: imagecodecs.jpeg2k_encode(v, level=0, codecformat="j2k"), None),
    ("jpeg2000", "91",
     lambda v: imagecodecs.jpeg2k_encode(v, level=60, codecformat="j2k", reversible=False),
     imagecodecs.jpeg2k_decode),
    ("htj2k_lossless", "201", lambda v: imagecodecs.htj2k_encode(v, reversible=True), None),
    # OpenJPH always writes the progression that this syntax demands.
    ("htj2k_lossless_rpcl", "202", lambda v: imagecodecs.htj2k_encode(v, reversible=True), None),
    ("htj2k", "203", lambda v: imagecodecs.htj2k_encode(v, reversible=False),
     imagecodecs.htj2k_decode),
]


def make(name, syntax, bits):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = pydicom.uid.MRImageStorage
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"2.25.{sum(map(ord, name))}"
    data.StudyInstanceUID, data.SeriesInstanceUID = "2.25.1", f"{data.SOPInstanceUID}.1"
    data.Modality = "MR"
    data.ImagePositionPatient = [0, 0, 0]
    data.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    data.PixelSpacing = [0.5, 0.5]
    data.Rows, data.Columns, data.SamplesPerPixel = ROWS, COLUMNS, 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsAllocated = 16 if bits > 8 else 8
    data.BitsStored, data.HighBit, data.PixelRepresentation = bits, bits - 1, 0
    return data


def save(data, name):
    data.save_as(FOLDER / f"{name}.dcm", enforce_file_format=True)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    decoded = {}
    for name, syntax in NATIVE.items():
        data = make(name, syntax, 12)
        data.PixelData = VALUES.astype(">u2" if name == "explicit_be" else "<u2").tobytes()
        data["PixelData"].VR = "OW"
        save(data, name)
    rle = make("rle", "1.2.840.10008.1.2.1", 12)
    rle.PixelData = VALUES.tobytes()
    rle.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
    save(rle, "rle")
    for name, syntax, encode, decode in COMPRESSED:
        stream = bytes(encode(VALUES))
        data = make(name, f"1.2.840.10008.1.2.4.{syntax}", 8 if "8bit" in name or syntax == "50" else 12)
        data.PixelData = encapsulate([stream])
        data["PixelData"].VR = "OB"
        data["PixelData"].is_undefined_length = True
        save(data, name)
        if decode is not None:
            decoded[name] = decode(stream).astype(int).ravel().tolist()
    with open(FOLDER / "decoded.json", "w") as file:
        json.dump(decoded, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
