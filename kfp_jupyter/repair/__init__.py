"""After a step failed: its inputs and source back in the notebook, and a run of only what is left to do."""
