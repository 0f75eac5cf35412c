"""Pictures of pipelines and runs: layout, the run document, SVG, static HTML, charts and plain text.

`layout` and `document` read the model; everything else reads a run document, as the front end does.
"""

from __future__ import annotations

from kfp_jupyter.view.document import document, task_document
from kfp_jupyter.view.html import html
from kfp_jupyter.view.layout import Edge, Node, Picture, layout
from kfp_jupyter.view.svg import svg
from kfp_jupyter.view.text import metrics_table, text

__all__ = [
    "Edge",
    "Node",
    "Picture",
    "document",
    "html",
    "layout",
    "metrics_table",
    "svg",
    "task_document",
    "text",
]
