"""What is known of runs: in memory (`store`), on disk (`history`), what their tasks printed (`logs`)."""
