from __future__ import annotations

import pickle
import random
from collections import UserDict
from collections.abc import Iterator, Mapping

from kfp_jupyter.model.revised import Revised, revised
from kfp_jupyter.model.run import RunCreated, State, Target, TaskChanged, apply


class Counted(UserDict[str, int]):
    """A mapping that counts how many of its keys are gone through, as a copy does."""

    read = 0

    def __iter__(self) -> Iterator[str]:
        for key in self.data:
            self.read += 1
            yield key


def test_it_is_what_a_copied_dict_would_be():
    chance = random.Random(1)
    held: Mapping[str, int] = {str(number): 0 for number in range(50)}
    right = dict(held)
    for value in range(400):
        key = str(chance.randrange(70))
        held, right = revised(held, key, value), {**right, key: value}
        assert list(held) == list(right)
        assert list(held.items()) == list(right.items())
        assert list(held.values()) == list(right.values())
        assert (held == right, len(held), dict(held)) == (True, len(right), right)
        assert [key in held for key in ("3", "69", "none")] == [key in right for key in ("3", "69", "none")]
        assert held.get("none") is None


def test_those_before_stay_as_they_were():
    first: Mapping[str, int] = revised({str(number): 0 for number in range(100)}, "5", 1)
    second = revised(revised(first, "5", 2), "new", 3)
    assert isinstance(second, Revised)
    assert (first["5"], second["5"], "new" in first, second["new"]) == (1, 2, False, 3)
    assert repr(second) == repr(dict(second))
    assert pickle.loads(pickle.dumps(second)) == second


def test_a_change_of_a_large_mapping_does_not_copy_it():
    under = Counted({str(number): 0 for number in range(10_000)})
    held: Mapping[str, int] = under
    for number in range(100):
        held = revised(held, str(number), 1)
    assert (held["99"], held["100"], under.read) == (1, 0, 0)
    for number in range(100, 400):
        held = revised(held, str(number), 1)
    assert under.read == len(under), "joined once, then no more in use"


def test_an_event_of_a_large_run_leaves_the_other_tasks_where_they_are():
    names = tuple(f"t-{number}" for number in range(1000))
    before = apply(None, RunCreated(1.0, "r1", "p", Target(), {}, names))
    after = apply(before, TaskChanged(2.0, "t-7", State.RUNNING, attempt=1))
    assert (before.tasks["t-7"].state, after.tasks["t-7"].state) == (State.PENDING, State.RUNNING)
    assert all(after.tasks[name] is before.tasks[name] for name in names if name != "t-7")
    assert tuple(after.tasks) == names
