"""The part of CEL that conditions of tasks are written in.

    int(inputs.parameter_values['pipelinechannel--n']) > 2 && !(inputs.parameter_values['x'] == 'heads')

`parse` makes an expression of the text, once, before anything runs; what is not understood is refused there.
Values are JSON's; as in CEL there is no truth but `true` and `false`, numbers compare by value whatever their
type, values of different types are never equal and have no order. An operand of `&&` or `||` that fails does
no harm if the other decides.
Spec: https://github.com/google/cel-spec/blob/master/doc/langdef.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from kfp_jupyter.errors import KfpJupyterError
from kfp_jupyter.model.cel_values import (
    CONSTANTS,
    FUNCTIONS,
    Names,
    NoValueError,
    ValueOf,
    called,
    compared,
    constant,
    decided,
    denied,
    named,
    negative,
    part,
    short,
    shown_name,
    text_of,
)
from kfp_jupyter.model.types import Json


class CelError(KfpJupyterError):
    """An expression that is not understood, or that has no value."""


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was understood.

    Attributes:
        text: As it was written.
        inputs: The names of the inputs that it asks for, in order.
    """

    text: str
    inputs: tuple[str, ...]
    value_of: ValueOf

    def value(self, names: Names) -> Json:
        """Return its value.

        Args:
            names: The values of its names; see `condition_names`.

        Raises:
            CelError: It has none: an input is missing, or values do not go together.
        """
        try:
            return self.value_of(names)
        except NoValueError as error:
            raise CelError(f"{self} has no value: {error}.") from None

    def __str__(self) -> str:
        """Return it as people read it: inputs by their names, numbers without conversions."""
        shown = _REFERENCE.sub(lambda found: shown_name(found["name"]), self.text)
        # Twice: an integer that is compared with a fraction is converted twice.
        return _CONVERTED.sub(r"\1", _CONVERTED.sub(r"\1", shown))


def holds(expression: Expression, parameters: Mapping[str, Json]) -> bool:
    """Say whether a task's condition holds for its arguments.

    Raises:
        CelError: It is neither true nor false.
    """
    held = expression.value(condition_names(parameters))
    if not isinstance(held, bool):
        raise CelError(f"{expression} is neither true nor false, but {held!r}.")
    return held


def told(expression: Expression, parameters: Mapping[str, Json]) -> str:
    """Return a condition and the values it was asked for: `flip == 'heads' (flip = 'tails')`."""
    values = (
        f"{shown_name(name)} = {short(parameters[name])}" for name in expression.inputs if name in parameters
    )
    return f"{expression} ({', '.join(values)})"


def condition_names(parameters: Mapping[str, Json]) -> Names:
    """Return the names in the condition of a task with these arguments."""
    older = {name: _Typed(value) for name, value in parameters.items()}
    return {"inputs": {"parameter_values": parameters, "parameters": older}}


class _Typed(Mapping[str, Json]):
    """A parameter in the older form: `inputs.parameters['x'].string_value`."""

    def __init__(self, value: Json) -> None:
        self._value = value

    def __getitem__(self, kind: str) -> Json:
        return text_of(self._value) if kind == "string_value" else self._value

    def __iter__(self) -> Iterator[str]:
        return iter(("string_value", "int_value", "double_value"))

    def __len__(self) -> int:
        return 3


# --- Reading
# ------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<mark>&&|\|\||==|!=|<=|>=|[<>!()\[\].-])
    )""",
    re.VERBOSE | re.DOTALL,
)
_REFERENCE = re.compile(
    r"inputs\.(?:parameter_values|parameters)\[(?P<quote>['\"])(?P<name>.*?)(?P=quote)\](?:\.\w+_value)?"
)
_CONVERTED = re.compile(r"\b(?:int|double)\(([^()]*)\)")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_FIELDS = {
    "inputs": ("parameter_values", "parameters"),
    "parameter_values": (),
    "parameters": ("string_value", "int_value", "double_value"),
}
_DEEPEST = 100


def parse(text: str) -> Expression:
    """Return the expression that a text writes.

    Raises:
        CelError: It is not understood.
    """
    return _Reader(text).expression()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._inputs: dict[str, None] = {}
        self._depth = 0
        self._tokens = list(self._read())
        self._next = 0

    def expression(self) -> Expression:
        value = self._either()
        if self._peek() is not None:
            self._refuse(f"{self._tokens[self._next][1]!r} is not expected")
        return Expression(self._text, tuple(self._inputs), value)

    def _read(self) -> Iterator[tuple[str, str]]:
        at = 0
        text = self._text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                self._refuse(f"{text[at : at + 10]!r} is not understood")
            at = found.end()
            yield found.lastgroup or "", found[found.lastgroup or 0]

    def _peek(self) -> str | None:
        return self._tokens[self._next][1] if self._next < len(self._tokens) else None

    def _take(self, *marks: str) -> str:
        """Take the next token if it is one of these marks, and return it; else an empty text."""
        if self._next < len(self._tokens):
            kind, text = self._tokens[self._next]
            if kind == "mark" and text in marks:
                self._next += 1
                return text
        return ""

    def _expect(self, mark: str) -> None:
        if not self._take(mark):
            self._refuse(f"{mark!r} is missing")

    def _refuse(self, why: str) -> NoReturn:
        raise CelError(
            f"The expression {self._text!r} is not understood: {why}.",
            remedy="Understood are comparisons, `&&`, `||`, `!`, brackets, texts, numbers, `true`, `false`, "
            "`null`, `int()`, `double()`, `string()`, and values of `inputs`.",
        )

    def _either(self) -> ValueOf:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._refuse("it is too deep")
        left = self._both()
        while self._take("||"):
            left = decided(left, self._both(), by=True)
        self._depth -= 1
        return left

    def _both(self) -> ValueOf:
        left = self._relation()
        while self._take("&&"):
            left = decided(left, self._relation(), by=False)
        return left

    def _relation(self) -> ValueOf:
        left = self._unary()
        while mark := self._take("==", "!=", "<", "<=", ">", ">="):
            left = compared(mark, left, self._unary())
        return left

    def _unary(self) -> ValueOf:
        if mark := self._take("!", "-"):
            self._depth += 1
            if self._depth > _DEEPEST:
                self._refuse("it is too deep")
            operand = self._unary()
            self._depth -= 1
            return denied(operand) if mark == "!" else negative(operand)
        return self._member()

    def _member(self) -> ValueOf:
        root = self._peek() if self._next < len(self._tokens) else None
        value = self._primary()
        fields = _FIELDS.get(root or "", ())
        while mark := self._take(".", "["):
            if mark == ".":
                kind, field = self._tokens[self._next] if self._peek() is not None else ("", "")
                if kind != "name" or field not in fields:
                    self._refuse(f"there is no {field!r} here")
                self._next += 1
                value = part(value, field)
                root, fields = field, _FIELDS.get(field, ())
            else:
                kind, key = self._tokens[self._next] if self._peek() is not None else ("", "")
                if kind not in ("text", "number"):
                    self._refuse("a text or a number is expected in brackets")
                self._next += 1
                self._expect("]")
                held = _unescaped(key) if kind == "text" else int(float(key))
                if root in ("parameter_values", "parameters"):
                    self._inputs[str(held)] = None
                value, root = part(value, held), None
        return value

    def _primary(self) -> ValueOf:
        if self._take("("):
            value = self._either()
            self._expect(")")
            return value
        if self._peek() is None:
            self._refuse("it ends too early")
        kind, text = self._tokens[self._next]
        self._next += 1
        if kind == "text":
            return constant(_unescaped(text))
        if kind == "number":
            return constant(float(text) if re.search(r"[.eE]", text) else int(text))
        if text in CONSTANTS:
            return constant(CONSTANTS[text])
        if text in FUNCTIONS and self._take("("):
            argument = self._either()
            self._expect(")")
            return called(FUNCTIONS[text], argument)
        if text == "inputs":
            return named(text)
        return self._refuse(f"{text!r} is unknown")


def _unescaped(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        two, four, eight, octal, other = found.groups()
        if octal:
            return chr(int(octal, 8))
        number = two or four or eight
        return chr(int(number, 16)) if number else _ESCAPED.get(other, other)

    return _ESCAPE.sub(plain, text[1:-1])
