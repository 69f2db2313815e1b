import threading

import pytest

from minet_core.runs.producer import prefetch

DEPTH = 3
PATIENCE = 300  # seconds until a hanging test fails


class Producer:
    """Counts items, and tells what became of it."""

    def __init__(self, count: int, fail_at: int | None = None) -> None:
        self.count, self.fail_at = count, fail_at
        self.made = 0
        self.thread: threading.Thread | None = None
        self.closed = False
        self.is_ahead = threading.Event()

    def items(self):
        self.thread = threading.current_thread()
        try:
            for number in range(self.count):
                if number == self.fail_at:
                    raise ValueError(f"item {number}")
                self.made += 1
                if self.made > DEPTH + 1:
                    self.is_ahead.set()
                yield number
        finally:
            self.closed = True


def test_items_come_in_order_from_another_thread():
    producer = Producer(50)
    assert list(prefetch(producer.items(), DEPTH)) == list(range(50))
    assert producer.thread is not threading.current_thread()
    assert producer.closed


def test_consumer_works_once_while_the_first_item_is_made():
    called, gate = [], threading.Event()

    def items():
        gate.wait()  # for the consumer's work: none would come if the first item came before
        yield from range(3)

    def work():
        called.append(threading.current_thread())
        gate.set()

    assert list(prefetch(items(), DEPTH, work)) == [0, 1, 2]
    assert called == [threading.current_thread()]


def test_error_is_raised_in_its_place_among_the_items():
    producer = Producer(50, fail_at=5)
    items = prefetch(producer.items(), DEPTH)
    assert [next(items) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="item 5"):
        next(items)
    assert producer.closed


def test_consumer_that_stops_early_stops_the_producer():
    producer = Producer(1_000_000)
    items = prefetch(producer.items(), DEPTH)
    next(items)
    items.close()
    assert producer.closed
    assert not producer.thread.is_alive()
    assert producer.made < 100


def test_producer_waits_when_it_is_far_enough_ahead():
    producer = Producer(100)
    leads = []
    for taken, _ in enumerate(prefetch(producer.items(), DEPTH), start=1):
        if taken == 1:
            assert producer.is_ahead.wait(PATIENCE)
        leads.append(producer.made - taken)
    # Those in the queue, and one in the producer's hand.
    assert 0 < max(leads) <= DEPTH + 1


def test_chain_of_two_stops_from_its_end():
    first = Producer(1_000_000)
    inner = prefetch(first.items(), DEPTH)

    def double():
        try:
            for item in inner:
                yield 2 * item
        finally:
            inner.close()

    outer = prefetch(double(), DEPTH)
    assert [next(outer) for _ in range(3)] == [0, 2, 4]
    outer.close()
    assert first.closed
    assert not first.thread.is_alive()
