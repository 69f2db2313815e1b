"""Decoding: frames upright, in RGB, with times one can trust."""
