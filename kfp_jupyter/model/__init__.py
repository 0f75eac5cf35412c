"""The one description that everything else reads: types, components, pipelines and runs as plain frozen data.

Nothing in this package does I/O or imports anything heavy.
"""
