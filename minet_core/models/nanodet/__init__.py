"""The bundled detector: its network, and boxes from its outputs."""
