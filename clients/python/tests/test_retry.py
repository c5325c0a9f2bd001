"""Which address a call goes to, where the cases of conformance do not say."""

from __future__ import annotations

import pytest

from countersign._retry import Addresses, Answered, Failed, Journey, Strange


def journey(addresses: Addresses, deadline: float = 10.0, retries: int = 2) -> Journey:
    return Journey(addresses, deadline, retries, lambda: 0.5)


def test_a_node_that_is_away_is_not_where_the_next_call_begins() -> None:
    addresses = Addresses(["a", "b", "c"])
    one = journey(addresses)
    step = one.next(0)
    assert step is not None
    assert step.address == "a"
    assert one.after(Failed(), 0) == 0
    assert one.after(Answered(503, "delivery_not_configured", None), 0) is None
    other = journey(addresses).next(0)
    assert other is not None
    assert other.address == "a"


@pytest.mark.parametrize(
    "answer", [Answered(404, "user_not_found", None), Answered(500, "internal", None)]
)
def test_a_node_that_answered_is_where_the_next_call_begins(answer: Answered) -> None:
    addresses = Addresses(["a", "b", "c"])
    one = journey(addresses)
    one.next(0)
    one.after(Failed(), 0)
    assert one.after(answer, 0) is None
    other = journey(addresses).next(0)
    assert other is not None
    assert other.address == "b"


def test_an_answer_at_the_last_moment_is_the_result_also_when_others_were_not_tried() -> None:
    one = journey(Addresses(["a", "b"]), deadline=5.0)
    one.next(0)
    assert one.after(Answered(503, "unavailable", None), 5.0) is None
    assert one.next(5.0) is None


def test_the_last_attempt_has_all_the_time_that_is_left() -> None:
    one = journey(Addresses(["a", "b"]), deadline=8.0, retries=0)
    first = one.next(0)
    one.after(Failed(), 1)
    second = one.next(1)
    assert first is not None
    assert second is not None
    assert (first.timeout, second.timeout) == (4.0, 7.0)


def test_what_is_not_the_service_is_passed_over_and_no_call_begins_there() -> None:
    addresses = Addresses(["a", "b", "c"])
    one = journey(addresses)
    for address in ("a", "b", "c"):
        step = one.next(0)
        assert step is not None
        assert step.address == address
        assert one.after(Strange(), 0) == (None if address == "c" else 0)
    other = journey(addresses).next(0)
    assert other is not None
    assert other.address == "a"


def test_what_is_not_the_service_is_not_waited_for() -> None:
    one = journey(Addresses(["a"]))
    one.next(0)
    assert one.after(Failed(), 0) == 0.05
    one.next(0.05)
    assert one.after(Strange(), 0.05) is None
