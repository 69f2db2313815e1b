"""Networks: detectors, identify networks and their weights; `zoo.load_model` loads them by name."""
