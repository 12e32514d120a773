"""How fast the detectors are, beside their peers: one thread each, unless a table says otherwise."""

import os

# Read by the libraries when they are imported, which is after this.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
