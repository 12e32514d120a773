"""What every detector is built on: the interface, calibration of scores, storage without pickle, compilation.

No method lives here.
"""
