"""PriorityQueue between threads, and what ends a wait."""

import gc
import os
import queue
import signal
import threading
import time
import weakref

import pytest

from mcp_rust_core import PriorityQueue, QueueClosed


def test_the_urgent_comes_first_and_equals_in_order():
    messages = PriorityQueue(10)
    for number, priority in enumerate(["low", "normal", "urgent", "high", "normal"]):
        messages.send(number, priority)
    assert len(messages) == 5
    received = [messages.try_receive() for _ in range(5)]
    assert received == [(2, "urgent"), (3, "high"), (1, "normal"), (4, "normal"), (0, "low")]


def test_a_fair_queue_starves_nobody():
    fair = PriorityQueue(1000, order="fair")
    fair.send("patient", "low")
    for _ in range(500):
        fair.send("pushing", "urgent")
    first = [fair.try_receive()[0] for _ in range(100)]
    assert "patient" in first
    strict = PriorityQueue(1000)
    strict.send("patient", "low")
    for _ in range(500):
        strict.send("pushing", "urgent")
    assert "patient" not in [strict.try_receive()[0] for _ in range(500)]


def test_full_empty_and_timeouts():
    messages = PriorityQueue(1)
    with pytest.raises(queue.Empty, match="the queue is empty"):
        messages.try_receive()
    with pytest.raises(queue.Empty, match="in time"):
        messages.receive(timeout=0.01)
    messages.try_send(1)
    with pytest.raises(queue.Full):
        messages.try_send(2)
    start = time.monotonic()
    with pytest.raises(queue.Full, match="wait longer"):
        messages.send(2, timeout=0.12)
    assert time.monotonic() - start >= 0.12
    assert messages.receive(timeout=0) == (1, "normal")
    statistics = messages.statistics()
    assert statistics["sent"] == {"low": 0, "normal": 1, "high": 0, "urgent": 0}
    assert statistics["rejected"]["normal"] == 2
    assert (statistics["depth"], statistics["max_depth"], messages.capacity) == (0, 1, 1)


def test_use_after_close():
    messages = PriorityQueue(5)
    messages.send("left")
    messages.close()
    messages.close()
    assert messages.closed
    with pytest.raises(QueueClosed):
        messages.send("more")
    with pytest.raises(QueueClosed):
        messages.try_send("more")
    assert messages.receive() == ("left", "normal")
    with pytest.raises(QueueClosed):
        messages.receive()
    with pytest.raises(QueueClosed):
        messages.try_receive()


def test_close_wakes_who_waits():
    messages = PriorityQueue(1)
    outcomes = queue.Queue()

    def wait():
        try:
            messages.receive()
        except QueueClosed:
            outcomes.put("closed")

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    messages.close()
    assert [outcomes.get(timeout=10) for _ in threads] == ["closed"] * 3
    for thread in threads:
        thread.join()


def test_every_message_arrives_once():
    messages = PriorityQueue(4)
    found = []

    def send(start):
        for number in range(start, start + 250):
            messages.send(number)

    def receive():
        while True:
            try:
                found.append(messages.receive()[0])
            except QueueClosed:
                return

    senders = [threading.Thread(target=send, args=(start,)) for start in (0, 250, 500)]
    receivers = [threading.Thread(target=receive) for _ in range(3)]
    for thread in senders + receivers:
        thread.start()
    for thread in senders:
        thread.join()
    messages.close()
    for thread in receivers:
        thread.join()
    assert sorted(found) == list(range(750))


def test_a_wait_lets_other_threads_run():
    messages = PriorityQueue(1)
    timer = threading.Timer(0.05, messages.send, ["late"])
    timer.start()
    assert messages.receive(timeout=30) == ("late", "normal")
    timer.join()


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to itself")
@pytest.mark.parametrize("waits_for", ["message", "room"])
def test_a_keyboard_interrupt_ends_a_wait(waits_for):
    messages = PriorityQueue(1)
    if waits_for == "room":
        messages.send("first")
    timer = threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT])
    # Python leaves the signal ignored where it began so, as in the background of a script.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            messages.receive() if waits_for == "message" else messages.send("second")
        timer.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(messages) == (waits_for == "room")


class Thing:
    pass


def test_messages_live_until_they_are_received():
    messages = PriorityQueue(3)
    thing = Thing()
    alive = weakref.ref(thing)
    messages.send(thing)
    del thing
    gc.collect()
    assert alive() is not None
    messages.receive()
    gc.collect()
    assert alive() is None
    thing = Thing()
    alive = weakref.ref(thing)
    messages.send(thing)
    del thing, messages
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize(
    ("action", "error", "text"),
    [
        (lambda: PriorityQueue(0), ValueError, "at least 1 message"),
        (lambda: PriorityQueue(-5), ValueError, "a number from 0 to .*, not -5"),
        (lambda: PriorityQueue(5, "random"), ValueError, 'unknown order "random": strict or fair'),
        (lambda: PriorityQueue(5).send(1, "High"), ValueError, 'unknown priority "High"'),
        (lambda: PriorityQueue(5).send(1, 2), TypeError, None),
        (lambda: PriorityQueue(5).receive(-1), ValueError, "a finite number of seconds"),
        (lambda: PriorityQueue(5).receive(float("nan")), ValueError, "a finite number of seconds"),
        (lambda: PriorityQueue(5).receive("soon"), TypeError, "a number of seconds is wanted, not str"),
    ],
)
def test_bad_input_gets_one_sentence(action, error, text):
    with pytest.raises(error, match=text):
        action()


def test_a_huge_capacity_takes_no_memory_ahead():
    messages = PriorityQueue(2**62)
    messages.send(1)
    assert messages.receive(timeout=10**30) == (1, "normal")


@pytest.mark.parametrize("stack", [0, 64 << 10])
def test_queues_in_queues_are_dropped_one_after_another(stack):
    def nest():
        outer = None
        for _ in range(100_000):
            inner, outer = outer, PriorityQueue(2)
            outer.send(inner)
            outer.send([inner])

    before = threading.stack_size(stack)
    thread = threading.Thread(target=nest)
    thread.start()
    threading.stack_size(before)
    thread.join()
