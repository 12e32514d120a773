"""Detectors of anomalies. numpy is all that importing them needs; numba makes the compiled ones fast.

- `detector`: the Watchkeeper detector, streaming and causal; `fleet`: the same for many series at once.
- `forest`: a random cut forest that is fitted once and scores batches.
- `interface`, `batch`: what every detector of rows answers; `rules`, `persist_rule`, `known` and
  `series` are those.
- `rule_parameters`: the parameters of the rules and their limits, without numpy.
- `algorithms`: detectors by name; `search_spaces`: the hyperparameters that a search tries.
- `estimators`: all of them as scikit-learn estimators; needs scikit-learn.
- `calibration`, `tail`: the scale that all of them share.
"""
