"""Detectors of Hugging Face, from a folder or from its hub.

location.py    where the files are, and that no pickle is among them; needs no torch
detector.py    networks with classes of their own
zero_shot.py   networks that find classes by their names
loading.py     which of the two a folder holds, loaded
"""
