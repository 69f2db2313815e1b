"""Detectors that come as an ONNX file, whoever trained and exported them.

session.py      the file in ONNX Runtime: inputs, outputs, devices, threads
beside.py       what stands in the file's metadata, and in files that exporters put beside it
preparation.py  a frame as the network wants it, and boxes back in the frame
layouts/        what the outputs mean: one class for each way to write boxes and scores
recognition.py  which layout, classes and preparation a file has, and why
sidecar.py      what a person says where the file leaves something open
detector.py     all of it as a `Detector`
"""
