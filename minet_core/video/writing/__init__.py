"""Encoding: H.264 with sound, in pieces that are joined without encoding again."""
