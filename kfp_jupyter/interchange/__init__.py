"""Kubeflow Pipelines' own file format: PipelineSpec, the IR that its compiler writes and its server takes."""
