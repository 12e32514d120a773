import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from localcloud.sagemaker.errors import JobStoppedError
from localcloud.sagemaker.jobs import JobSlots


def test_no_more_jobs_run_at_once_than_there_are_places() -> None:
    slots, lock = JobSlots(2), threading.Lock()
    running: list[int] = []
    together: list[int] = []
    both = threading.Barrier(2)

    def job(number: int) -> None:
        with slots.taken(threading.Event()):
            with lock:
                running.append(number)
                together.append(len(running))
            both.wait(timeout=30)  # it ends only beside another one: the two places are used
            with lock:
                running.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(job, range(8)))

    assert len(together) == 8
    assert max(together) == 2


def test_jobs_run_in_the_order_they_came() -> None:
    slots, order = JobSlots(1), []

    def job(number: int) -> None:
        with slots.taken(threading.Event()):
            order.append(number)

    threads = []
    with slots.taken(threading.Event()):
        for number in range(5):
            thread = threading.Thread(target=job, args=(number,))
            thread.start()
            threads.append(thread)
            while len(slots._waiting) <= number:
                thread.join(0.001)
    for thread in threads:
        thread.join()

    assert order == [0, 1, 2, 3, 4]


def test_a_job_that_is_stopped_while_it_waits_leaves_the_queue() -> None:
    slots, stopping = JobSlots(1), threading.Event()
    stopping.set()
    with slots.taken(threading.Event()), pytest.raises(JobStoppedError), slots.taken(stopping):
        pass

    with ExitStack() as place:  # nobody is before it
        place.enter_context(slots.taken(threading.Event()))
        assert not slots._waiting
