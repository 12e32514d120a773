"""A clock for AWS's SageMaker SDK, which looks only every 10 to 30 seconds how far a job is."""

import time


class Clock:
    """In place of `time` in `sagemaker.session`: a pause is a moment, and the clock goes on by all of it."""

    LONGEST = 0.2

    def __init__(self) -> None:
        self._ahead = 0.0

    def sleep(self, seconds: float) -> None:
        slept = min(seconds, self.LONGEST)
        self._ahead += seconds - slept
        time.sleep(slept)

    def time(self) -> float:
        return time.time() + self._ahead
