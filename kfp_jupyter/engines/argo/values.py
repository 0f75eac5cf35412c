r"""Parameter values as they travel through a Workflow.

Argo replaces `{{…}}` textually, in the JSON of whole templates, and twice, so that a replaced value is
searched again. A value therefore travels as JSON in which no `{{` can be: JSON's own braces never stand side
by side, those in strings are written `\u007b`. A step takes its values in from raw triple-quoted literals, so
a quote is written `\u0027` as well.
Nothing outside ASCII is left either: Argo quotes by Go's rules, which are not JSON's for rare characters.
"""

from __future__ import annotations

import json

from kfp_jupyter.model.types import Json

VALUE_LIMIT = 64_000
"""Bytes of JSON that one parameter may take: each task that gives or takes it copies it into the status."""


def encode_value(value: Json) -> str:
    """Return the JSON of a parameter's value, safe from Argo's substitution."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("{{", "{\\u007b").replace("'", "\\u0027")


def encode_expression(json_text: str) -> str:
    """Return Argo's tag for what `encode_value` makes, from an expression of Argo's for some JSON.

    Of what `toJson` leaves as it is, Go's quoting differs from JSON's for the character 7f alone.
    """
    escapes = (("'", "\\\\u0027"), ("\\u007b\\u007b", "\\u007b\\\\u007b"), ("\\u007f", "\\\\u007f"))
    for plain, escaped in escapes:
        json_text = f'replace({json_text}, "{plain}", "{escaped}")'
    return f"{{{{={json_text}}}}}"


def decode_value(text: str) -> Json:
    """Return the value that a parameter's text holds; a text that is no JSON is taken as it is.

    Only container components, which write their outputs as bare text, make such texts.
    """
    try:
        return json.loads(text)
    except ValueError:
        return text
