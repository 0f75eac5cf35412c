"""What `%%component?` and `%%pipeline?` show besides the options: the forms of a cell, with examples."""

from __future__ import annotations

EXAMPLES = {
    "component": """\
A function: its type hints are the interface.

    %%component --packages pandas
    def clean(raw: Input[Dataset], tidy: Output[Dataset], limit: int = 100):
        import pandas as pd
        pd.read_csv(raw.path).head(limit).to_csv(tidy.path)

A cell as it stands: the line is the interface, and names are values. The body runs here too, unless the line
says `--no-run`.

    %%component split(table: Dataset, share: float = 0.2) -> train, test
    train, test = train_test_split(table, test_size=share)

A cell without an interface, for `%%pipeline --auto`: what it reads and gives is inferred from its code.

    %%component
    # Count the rows
    rows = len(train) + len(test)

Types are optional in a cell. `float`, `int`, `str`, `bool`, `list` and `dict` pass parameters; anything else
is stored in the format of its value (Parquet, npy, joblib, JSON, …; pickle last). `Metrics` takes a dict of
numbers, `HTML` and `Markdown` a text.

What the code uses of other cells (imports, functions, classes, constants) comes along by itself; packages do
not: name them with `--packages`, or let `--packages auto` take what the imports need.
""",
    "pipeline": """\
Calls of components; the parameters stand on the line.

    %%pipeline churn(rounds: int = 10) --run
    table = load()
    fit(train=split(table=table.output).outputs["train"], rounds=rounds)

A function, whose arguments are the parameters.

    %%pipeline
    def churn(rounds: int = 10) -> float:
        return fit(train=load().output, rounds=rounds).outputs["error"]

This notebook's component cells, linked by their data: an input comes from the cell that wrote its name last.
Small constants of the notebook, and defaults, become parameters. `%kfp graph` draws it without running it.

    %%pipeline churn --auto --run -p rounds=20
""",
}
"""The text by the magic's name."""
