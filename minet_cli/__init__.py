"""The `minet` command: reads options, calls minet_core, shows results. It computes nothing."""
