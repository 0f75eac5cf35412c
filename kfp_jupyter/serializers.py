"""How values of cells are stored, for classes of one's own.

from kfp_jupyter import serializers

serializers.register(Corpus, save_corpus, load_corpus)
"""

from __future__ import annotations

from kfp_jupyter.cells.serializers import Choice, choice, register, unregister

__all__ = ["Choice", "choice", "register", "unregister"]
