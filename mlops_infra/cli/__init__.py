"""The command line: one file a command, and the only place that prints, catches and exits.

`main` runs a command and turns errors into exit codes, `commands` knows every command without
importing it, `options` holds the options that commands share, `output` writes results to stdout and
`render` draws progress on stderr.
"""
