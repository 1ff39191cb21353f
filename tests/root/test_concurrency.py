"""Streams take turns and are limited, memory is shared, and the newest frame waits alone."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from threads import run_at_once, wait_until

from utils.concurrency import FairLock, MemoryBudget, NewestSlot, StreamLimit


def test_the_lock_is_granted_in_the_order_of_asking() -> None:
    lock, turns = FairLock(), []

    def work(number: int) -> None:
        with lock:
            turns.append(number)

    with ThreadPoolExecutor(6) as pool:
        with lock:
            futures = []
            for number in range(6):
                futures.append(pool.submit(work, number))
                wait_until(lambda n=number: lock.waiting > n)
            assert turns == []
        for future in futures:
            future.result()
    assert turns == list(range(6))
    assert lock.waiting == 0


def test_who_asks_again_waits_behind_the_others() -> None:
    lock, turns = FairLock(), []

    def work() -> None:
        with lock:
            turns.append("other")

    with ThreadPoolExecutor(1) as pool:
        with lock:
            other = pool.submit(work)
            wait_until(lambda: lock.waiting == 1)
        with lock:  # a plain lock would be granted here at once, again and again
            turns.append("again")
        other.result()
    assert turns == ["other", "again"]


def test_one_at_a_time_whatever_happens_inside() -> None:
    lock, inside, most = FairLock(), [0], [0]

    def work() -> None:
        for _ in range(200):
            try:
                with lock:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                    inside[0] -= 1
                    raise ValueError("a frame that fails")
            except ValueError:
                pass

    run_at_once([work] * 4)
    assert most == [1]


def test_streams_are_limited() -> None:
    limit = StreamLimit(max_streams=2)
    assert limit.acquire()
    assert limit.acquire()
    assert not limit.acquire()
    assert limit.running == 2
    limit.release()
    assert limit.acquire()
    assert limit.running == 2


def test_a_limit_is_not_released_more_often_than_acquired() -> None:
    limit = StreamLimit(max_streams=1)
    assert limit.acquire()
    limit.release()
    with pytest.raises(RuntimeError, match="acquire"):
        limit.release()
    assert limit.running == 0


def test_threads_never_exceed_the_limit() -> None:
    limit = StreamLimit(max_streams=3)

    def work() -> int:
        most = 0
        for _ in range(500):
            if limit.acquire():
                most = max(most, limit.running)
                limit.release()
        return most

    assert max(run_at_once([work] * 6)) <= 3
    assert limit.running == 0


def test_a_budget_refuses_what_it_has_not_left() -> None:
    budget = MemoryBudget(100)
    assert budget.acquire(60, timeout=0)
    assert not budget.acquire(41, timeout=0)
    with budget.reserve(40, timeout=0):
        assert budget.in_use == 100
        with pytest.raises(TimeoutError), budget.reserve(1, timeout=0.01):
            pass
    budget.release(60)
    assert budget.in_use == 0


def test_an_item_larger_than_the_budget_is_let_in_alone() -> None:
    budget = MemoryBudget(100)
    with budget.reserve(1):
        assert not budget.acquire(500, timeout=0)
    with budget.reserve(500, timeout=0):
        assert not budget.acquire(1, timeout=0)
    assert budget.acquire(1, timeout=0)


def test_a_large_item_is_not_overtaken_by_small_ones() -> None:
    budget, granted = MemoryBudget(100), []

    def work(size: int) -> None:
        with budget.reserve(size):
            granted.append(size)

    with ThreadPoolExecutor(2) as pool:
        with budget.reserve(50):
            large = pool.submit(work, 100)
            wait_until(lambda: not budget.acquire(1, timeout=0) or budget.release(1))
            small = pool.submit(work, 10)
        large.result()
        small.result()
    assert granted == [100, 10]


def test_who_gives_up_waiting_lets_the_next_one_in() -> None:
    budget = MemoryBudget(100)
    with ThreadPoolExecutor(2) as pool, budget.reserve(50):
        large = pool.submit(budget.acquire, 100, timeout=0.3)
        wait_until(lambda: not budget.acquire(1, timeout=0) or budget.release(1))
        small = pool.submit(budget.acquire, 10)
        assert not large.result()
        assert small.result()


def test_threads_never_exceed_the_budget() -> None:
    budget = MemoryBudget(100)

    def work() -> int:
        most = 0
        for size in range(1, 200):
            with budget.reserve(size % 70 + 1):
                most = max(most, budget.in_use)
        return most

    assert max(run_at_once([work] * 6)) <= 100
    assert budget.in_use == 0


def test_a_budget_that_makes_no_sense_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        MemoryBudget(0)
    with pytest.raises(ValueError, match="negative"):
        MemoryBudget(1).acquire(-1)
    with pytest.raises(RuntimeError, match="only 0"):
        MemoryBudget(1).release(1)


def test_a_slot_keeps_the_newest_and_counts_the_overtaken() -> None:
    slot: NewestSlot[str] = NewestSlot()
    assert slot.is_empty
    assert slot.take() is None
    assert [slot.put(item) for item in ("first", "second", "third")] == [None, "first", "second"]
    assert not slot.is_empty
    assert slot.take() == "third"
    assert slot.take() is None
    assert slot.overtaken == 2
    slot.put("fourth")
    assert slot.overtaken == 2, "nothing waited: nothing was overtaken"


def test_what_a_slot_drops_when_cleared_is_not_overtaken() -> None:
    slot: NewestSlot[int] = NewestSlot()
    slot.put(0)  # falsy, but an item
    assert not slot.is_empty
    slot.clear()
    assert slot.is_empty
    assert slot.overtaken == 0
