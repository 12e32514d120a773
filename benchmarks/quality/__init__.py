"""How well the detectors find what people labelled: `python -m benchmarks.quality`."""
