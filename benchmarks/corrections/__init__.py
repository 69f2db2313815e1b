"""What it costs to mend a result until it is right: see `python -m benchmarks.corrections -h`."""
