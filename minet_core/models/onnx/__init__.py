"""Detectors from ONNX files, whoever trained and exported them.

session.py            the file in ONNX Runtime: inputs, outputs, devices, threads
exporter_metadata.py  metadata in the file, and in files that exporters put beside it
preparation.py        a frame as the network wants it, and boxes back in the frame
layouts/              what the outputs mean: one class for each way to write boxes and scores
recognition.py        which layout, classes and preparation a file has, and why
sidecar.py            what the user says where the file leaves something open
detector.py           all of it as a `Detector`
"""
