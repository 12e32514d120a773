"""Every figure that the documentation quotes, as a command: `python -m benchmarks.NAME`.

A benchmark measures and writes its document; that something is right is what `tests` say.
"""
