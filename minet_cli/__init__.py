"""The `minet` command: options in, minet_core called, results shown. Nothing is computed here."""
