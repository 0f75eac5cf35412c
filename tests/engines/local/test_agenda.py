from __future__ import annotations

import os
import signal
import threading

import pytest

from kfp_jupyter.engines.local.agenda import Agenda

ROUNDS = 20_000


@pytest.fixture
def agenda() -> Agenda:
    return Agenda()


@pytest.fixture
def did() -> list[str]:
    return []


def carried_out(agenda: Agenda, count: int) -> None:
    for _ in range(count):
        agenda.next()()


def test_what_was_asked_for_comes_in_order_and_before_what_is_due(agenda, did):
    agenda.after(0, lambda: did.append("due"))
    for name in ("one", "two"):
        agenda.put(lambda name=name: did.append(name))
    carried_out(agenda, 3)
    assert did == ["one", "two", "due"]


def test_what_is_due_comes_by_its_time_and_then_in_the_order_of_asking(agenda, did):
    for seconds, name in ((0.02, "last"), (0.0, "first"), (0.0, "second"), (-1.0, "overdue")):
        agenda.after(seconds, lambda name=name: did.append(name))
    carried_out(agenda, 4)
    assert did == ["overdue", "first", "second", "last"]


def test_a_time_further_off_than_a_lock_can_wait_is_one_to_wait_for(agenda, did):
    agenda.after(threading.TIMEOUT_MAX * 2, lambda: did.append("never"))
    asking = threading.Thread(target=lambda: agenda.put(lambda: did.append("asked")))
    asking.start()
    carried_out(agenda, 1)
    asking.join()
    assert did == ["asked"]


@pytest.mark.parametrize("seconds", [0.0, 1e-6, 5e-6])
def test_times_that_pass_while_it_begins_to_wait_are_not_missed(agenda, did, seconds):
    # `SimpleQueue.get` stands still here within some thousand rounds.
    for _ in range(ROUNDS):
        agenda.put(lambda: None)
        agenda.after(seconds, lambda: did.append("due"))
        carried_out(agenda, 2)
    assert len(did) == ROUNDS


def test_nothing_that_several_threads_ask_for_is_lost(agenda, did):
    def ask(name: str) -> None:
        for _ in range(ROUNDS // 10):
            agenda.put(lambda: did.append(name))

    threads = [threading.Thread(target=ask, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    carried_out(agenda, 3 * (ROUNDS // 10))
    for thread in threads:
        thread.join()
    assert sorted(did) == sorted("abc" * (ROUNDS // 10))


def test_a_signal_handler_wakes_the_thread_that_it_interrupts(agenda, did):
    before = signal.signal(signal.SIGUSR1, lambda *_: agenda.put(lambda: did.append("signal")))
    waker = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
    waker.start()
    try:
        carried_out(agenda, 1)
    finally:
        waker.join()
        signal.signal(signal.SIGUSR1, before)
    assert did == ["signal"]
