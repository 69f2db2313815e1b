"""Identities over time: HOTA and its relatives, steadiness, who was called what."""
