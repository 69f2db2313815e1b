"""What minet costs beside its detector, its parts and other programs, row by row."""

import os

# As the command sets it, before NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
