"""A live run on one machine: pull, run the graph over what came, commit, then acknowledge."""
