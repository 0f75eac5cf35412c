"""How values of cells are stored, and loaded again; for classes of one's own too.

Example:
    Storing and loading::

        from kfp_jupyter import serializers

        serializers.register(Corpus, save_corpus, load_corpus)
        run = pipeline.run()
        model = serializers.load(run.wait().tasks["fit"].artifacts["model"])
"""

from __future__ import annotations

from kfp_jupyter.cells.serializers import Choice, choice, load, register, unregister

__all__ = ["Choice", "choice", "load", "register", "unregister"]
