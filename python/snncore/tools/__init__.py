"""The command line, one module for each command; `snncore.tools.cli.main` is where it starts."""
