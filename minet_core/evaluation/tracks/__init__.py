"""Identities over time: HOTA and related metrics, steadiness, identity confusion."""
