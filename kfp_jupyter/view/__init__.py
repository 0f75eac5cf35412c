"""Pictures of pipelines and runs: layout, the run document, SVG, static HTML, charts and plain text."""
