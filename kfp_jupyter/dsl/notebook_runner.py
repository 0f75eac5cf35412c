"""What runs a notebook inside the step of a notebook component; its text is put into the step's source."""

from __future__ import annotations


def run_notebook_file(path, folder, parameters, executed="", page=""):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D103
    import json
    import sys

    import nbclient
    import nbformat
    from jupyter_client.kernelspec import KernelSpecManager

    class Client(nbclient.NotebookClient):  # type: ignore[misc, unused-ignore]
        """Prints what a cell gives out at once, so that it is in the step's log while the notebook runs."""

        def process_message(self, message, cell, number):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            output = super().process_message(message, cell, number)
            if output is not None:
                data = output.get("data", {})
                text = output.get("text") or data.get("text/plain") or "\n".join(output.get("traceback", []))
                is_error = output.get("name") == "stderr" or output["output_type"] == "error"
                stream = sys.stderr if is_error else sys.stdout
                print(text, end="" if text.endswith("\n") else "\n", file=stream, flush=True)
            return output

    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    if parameters:
        values = {name: json.dumps(value) for name, value in parameters.items()}
        lines = [f"{name} = json.loads({text!r})" for name, text in values.items()]
        text = "\n".join(["import json", *lines])
        cell = nbformat.v4.new_code_cell(text)  # type: ignore[no-untyped-call]
        cell.metadata["tags"] = ["injected-parameters"]
        tagged = [
            index
            for index, held in enumerate(notebook.cells)
            if "parameters" in held.metadata.get("tags", []) and held.cell_type == "code"
        ]
        notebook.cells.insert(tagged[0] + 1 if tagged else 0, cell)
    # The notebook's own kernel may be on its author's machine only.
    kernel = notebook.metadata.get("kernelspec", {}).get("name")
    if kernel not in KernelSpecManager().find_kernel_specs():
        kernel = "python3"
    client = Client(notebook, timeout=None, kernel_name=kernel, resources={"metadata": {"path": folder}})
    try:
        client.execute()
    finally:
        # Also of a notebook that fails: its page is where to look for the reason.
        if executed:
            nbformat.write(notebook, executed)  # type: ignore[no-untyped-call]
        if page:
            from nbconvert import HTMLExporter

            with open(page, "w", encoding="utf-8") as file:  # noqa: PTH123
                exporter = HTMLExporter()  # type: ignore[no-untyped-call]
                file.write(exporter.from_notebook_node(notebook)[0])
