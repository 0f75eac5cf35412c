"""The bodies of drawn pipelines: calls, settings, control flow."""

from __future__ import annotations

from collections.abc import Sequence

from tests.differential.chance import (
    ARTIFACT_LISTS,
    ARTIFACTS,
    PARAMETERS,
    Chance,
    Frame,
    Value,
    family,
    is_artifact,
)
from tests.differential.interfaces import Callee, Port
from tests.differential.task_settings import draw_settings

OPERATORS = ("==", "!=", "<", "<=", ">", ">=")
COMPARED = ("str", "int", "float", "bool")


class Body:
    """Writes one pipeline's body.

    Args:
        chance: What draws.
        callees: What it may call.
        ports: The pipeline's inputs.
        is_inner: Whether it is to be called by another.
    """

    def __init__(
        self, chance: Chance, callees: Sequence[Callee], ports: Sequence[Port], is_inner: bool
    ) -> None:
        self.chance = chance
        self.callees = callees
        self.is_inner = is_inner
        self.root = Frame("pipeline")
        self.root.values += [Value(port.name, port.hint, self.root) for port in ports]
        self.frame = self.root
        self.all: list[Value] = list(self.root.values)
        self.chosen: list[Value] = []
        self.lines: list[str] = []
        self.count = 0
        self.left = 8
        self.is_ended = False

    def write(self) -> str:
        """Return the body's text."""
        self._statements(self.chance.number(1, 4))
        return "\n".join(self.lines) + "\n"

    def returnable(self) -> list[Value]:
        """Return what the pipeline may return."""
        if self.is_ended:
            return []
        values = [value for value in self.root.values if value.is_output]
        return values + self._collectable()

    # --- Statements ---------------------------------------------------------------------------------------

    def _line(self, text: str) -> None:
        self.lines.append("    " * len(self.frame.outwards()) + text)

    def _statements(self, count: int) -> None:
        for _ in range(count):
            if self.is_ended:
                return
            self.left -= 1
            depth = len(self.frame.outwards())
            if depth < 4 and self.left > 0 and self.chance.of(45):
                self._group()
            else:
                self._call()

    def _group(self) -> None:
        kind = self.chance.number(0, 5)
        if kind <= 1:
            self._loop()
        elif kind <= 3:
            self._branches()
        elif kind == 4 and (self.frame is self.root or self.chance.of(5)):
            self._exit_handler()
        else:
            self._call()

    def _inside(self, kind: str, head: str, values: Sequence[Value] = (), count: int = 0) -> Frame:
        self._line(head)
        inner = Frame(kind, self.frame)
        inner.values += [Value(value.text, value.hint, inner) for value in values]
        self.all += inner.values
        self.frame = inner
        self._statements(count or self.chance.number(1, 2))
        self.frame = inner.parent or self.root
        return inner

    def _call(self) -> None:
        # Who takes the state of others must ignore that they failed, or be an exit task.
        takes_status = self.chance.of(4)
        callee = self.chance.one([held for held in self.callees if not held.takes_status] or self.callees)
        if takes_status:
            callee = self.chance.one(self.callees)
        # KFP looks for the arguments of such a task, and must find one for each input.
        ignores = takes_status or self.chance.of(8)
        arguments = self._arguments(callee, all_=ignores)
        if arguments is None:
            callee, ignores = self.callees[0], False
            arguments = self._arguments(callee) or ""
        self.count += 1
        name = f"t{self.count}"
        self._line(f"{name} = {callee.name}({arguments})")
        tasks = [task for frame in self.frame.outwards() for task in frame.tasks]
        for line in draw_settings(self.chance, name, callee, tasks, self._values_of, self.is_inner):
            self._line(line)
        if ignores:
            self._line(f"{name}.ignore_upstream_failure()")
        self.frame.tasks.append(name)
        for port in callee.outputs:
            one = len(callee.outputs) == 1 and self.chance.of(60)
            text = f"{name}.output" if one else f'{name}.outputs["{port.name}"]'
            self._know(Value(text, port.hint, self.frame, is_output=True))

    def _know(self, value: Value) -> None:
        self.frame.values.append(value)
        self.all.append(value)

    def _loop(self) -> None:
        self.count += 1
        item = f"item_{self.count}"
        lists = [
            value for value in self._visible() if family(value.hint) == "list" or value.hint in ARTIFACT_LISTS
        ]
        if lists and self.chance.of(70):
            source = self.chance.one(lists)
            items, hint = source.text, source.hint
        else:
            hint = self.chance.one(
                (
                    "List[int]",
                    "List[str]",
                    "List[float]",
                    "List[Dict[str, int]]",
                    "List[bool]",
                    "list",
                    "List[List[int]]",
                )
            )
            items = repr(self.chance.constant(hint)) if hint != "list" else "[1, 'a', {'a': 2}]"
        inner = hint[5:-1] if hint != "list" else self.chance.one(PARAMETERS)
        values = [Value(item, inner, self.frame)]
        if inner.startswith("Dict[str"):
            values.append(Value(f"{item}.a", inner.partition(", ")[2][:-1], self.frame))
        options = "".join(
            (
                f', name="Each {self.count}"' if self.chance.of(15) else "",
                f", parallelism={self.chance.one((2, 1, 0))}" if self.chance.of(25) else "",
            )
        )
        self._inside("loop", f"with dsl.ParallelFor({items}{options}) as {item}:", values)

    def _branches(self) -> None:
        condition = self._condition()
        if condition is None:
            self._call()
            return
        word = "Condition" if self.chance.of(10) else "If"
        name = ', name="Asked"' if self.chance.of(15) else ""
        frames = [self._inside("branch", f"with dsl.{word}({condition}{name}):")]
        for _ in range(self.chance.number(0, 2)):
            another = self._condition()
            if another is not None:
                frames.append(self._inside("branch", f"with dsl.Elif({another}):"))
        # After an `Elif` without `Else`, KFP puts all that follows into the group of the branches.
        self.is_ended = len(frames) > 1 and self.frame is self.root and self.chance.of(15)
        if (len(frames) > 1 or self.chance.of(60)) and not self.is_ended:
            frames.append(self._inside("branch", "with dsl.Else():"))
            self._choose(frames)

    def _choose(self, frames: list[Frame]) -> None:
        """Make a value of one of each branch, where they are of one type."""
        hints = {value.hint for value in frames[0].values if value.is_output}
        for frame in frames[1:]:
            hints &= {value.hint for value in frame.values if value.is_output}
        for hint in sorted(hints)[:2]:
            held = [
                self.chance.one([value for value in frame.values if value.is_output and value.hint == hint])
                for frame in frames
            ]
            self.count += 1
            name = f"chosen_{self.count}"
            self._line(f"{name} = dsl.OneOf({', '.join(value.text for value in held)})")
            self._know(Value(name, hint, self.frame, is_output=True))

    def _exit_handler(self) -> None:
        callee = self.chance.one(
            [
                held
                for held in self.callees
                if not any(not port.optional and is_artifact(port.hint) for port in held.inputs)
            ]
            or self.callees[:1]
        )
        self.count += 1
        name = f"t{self.count}"
        inputs = [value for value in self.root.values if not value.is_output]
        arguments = []
        for port in callee.inputs:
            given = [value for value in inputs if family(value.hint) == family(port.hint)]
            if given and self.chance.of(50):
                arguments.append(f"{port.name}={self.chance.one(given).text}")
            elif not port.optional:
                arguments.append(f"{port.name}={self.chance.constant(port.hint)!r}")
        self._line(f"{name} = {callee.name}({', '.join(arguments)})")
        handler = f"handler_{self.count}"
        self._inside("handler", f"with dsl.ExitHandler({name}) as {handler}:")
        if self.chance.of(20):
            self._call()
            self._line(f"t{self.count}.after({handler})")

    # --- Values -------------------------------------------------------------------------------------------

    def _visible(self) -> list[Value]:
        if self.chance.of(2):
            return self.all
        return [value for frame in self.frame.outwards() for value in frame.values]

    def _collectable(self) -> list[Value]:
        """Return what loops that are not around here give out as lists."""
        around = self.frame.outwards()
        found = []
        for value in self.all:
            levels = [frame for frame in value.frame.outwards() if frame not in around]
            if not value.is_output or not levels or any(frame.kind == "branch" for frame in levels):
                continue
            if any(frame.kind == "loop" for frame in levels) and not value.text.startswith("chosen"):
                hint = f"List[{value.hint}]"
                if not is_artifact(value.hint) or hint in ARTIFACT_LISTS:
                    found.append(Value(f"dsl.Collected({value.text})", hint, self.frame))
        return found

    def _values_of(self, hint: str) -> list[Value]:
        """Return the values that an argument of a type may be given."""
        wanted = family(hint)
        values = self._visible() + (self._collectable() if wanted.lower().startswith("list") else [])
        if wanted == "Artifact":
            return [value for value in values if value.hint in ARTIFACTS]
        if self.chance.of(1):
            return values
        return [value for value in values if family(value.hint) == wanted]

    def _arguments(self, callee: Callee, all_: bool = False) -> str | None:
        made = []
        for port in callee.inputs:
            if port.optional and not all_ and self.chance.of(40):
                continue
            text = self._argument(port)
            if text is not None:
                made.append(f"{port.name}={text}")
            elif all_ or not port.optional:
                return None
        return ", ".join(made)

    def _argument(self, port: Port) -> str | None:
        values = self._values_of(port.hint)
        if is_artifact(port.hint):
            return self.chance.one(values).text if values else None
        if values and self.chance.of(65):
            return self.chance.one(values).text
        parts = [value.text for value in self._visible() if not is_artifact(value.hint)]
        if parts and self.chance.of(40):
            first, last = self.chance.one(parts), self.chance.one(parts)
            kind = family(port.hint)
            if kind == "str":
                # Quotes of one kind only may stand inside of another in older Pythons.
                return self.chance.one(
                    (
                        f'"it is %s" % {first}',
                        f'"{{}}-{{}}".format({first}, {last})',
                        f"str({first}) + ' {{x}}'",
                    )
                )
            if kind == "list":
                return self.chance.one((f"[{first}]", f'[1, {first}, ["b", {last}], "x" + str({first})]'))
            if kind == "dict":
                return self.chance.one(
                    (f'{{"k": {first}}}', f'{{"k": [{first}], "l": {{"m": {last}}}, "n": "a" + str({last})}}')
                )
        return repr(self.chance.constant(port.hint))

    def _condition(self) -> str | None:
        values = [value for value in self._visible() if value.hint in COMPARED]
        if not values:
            return None
        left = self.chance.one(values)
        same = [value for value in values if value.hint == left.hint]
        # KFP writes quotes and the like into the condition as they are.
        right = repr(
            self.chance.one(("a", "1", "é x")) if left.hint == "str" else self.chance.constant(left.hint)
        )
        if self.chance.of(30):
            right = self.chance.one(same).text
        operators = OPERATORS[:2] if left.hint == "bool" and self.chance.of(90) else OPERATORS
        return f"{left.text} {self.chance.one(operators)} {right}"
