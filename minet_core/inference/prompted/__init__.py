"""Tracks of objects of which a person has drawn boxes, in any frames."""
