"""What children and their parent say to one another."""

from __future__ import annotations

import os
import select

from engine.evidence.dataset.worker import receive, send


def test_an_answer_that_came_with_the_one_before_is_seen_by_who_waits_for_it() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as told, os.fdopen(reading, "rb") as output:
        send(told, "first", 1)
        send(told, "second", 2)

        first = receive(output)
        waits = select.select([output], [], [], 0)[0]
        second = receive(output)

    assert first is not None and first.clips == 1
    assert waits, "read ahead into a buffer, where no select sees it"
    assert second is not None and second.clips == 2


def test_a_torn_message_is_none() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as told:
        send(told, "whole", 1)
    with os.fdopen(reading, "rb") as output:
        torn = output.read()[:-1]
    reading, writing = os.pipe()
    os.write(writing, torn)
    os.close(writing)
    with os.fdopen(reading, "rb") as output:
        assert receive(output) is None
