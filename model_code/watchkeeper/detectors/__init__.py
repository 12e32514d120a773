"""Detectors of anomalies. numpy is all they need; numba makes the compiled ones fast.

- `detector`: the Watchkeeper detector, streaming and causal.
- `forest`: a random cut forest that is fitted once and scores batches.
- `rules`, `known`: rules of one column and published methods behind one interface (`batch`).
- `calibration`, `tail`: the scale that all of them share.
"""
