"""Streams of one server take turns in order, and only so many are let in."""

import threading
import time

from utils.concurrency import Gate


def test_turns_are_given_in_the_order_of_asking() -> None:
    gate, turns = Gate(), []

    def work(name: int) -> None:
        with gate:
            turns.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(6)]
    with gate:
        for number, thread in enumerate(threads, 1):
            thread.start()
            while gate.waiting < number:
                time.sleep(0.001)
        assert turns == []
    for thread in threads:
        thread.join()
    assert turns == list(range(6))


def test_one_at_a_time_whatever_happens_inside() -> None:
    gate, inside, most = Gate(), [0], [0]

    def work() -> None:
        for _ in range(200):
            try:
                with gate:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                    inside[0] -= 1
                    raise ValueError("a frame that fails")
            except ValueError:
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_places_are_counted() -> None:
    gate = Gate(max_streams=2)
    assert gate.admit()
    assert gate.admit()
    assert not gate.admit()
    gate.leave()
    assert gate.admit()
    assert gate.streams == 2
