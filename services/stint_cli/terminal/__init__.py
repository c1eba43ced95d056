"""Terminal: what every command has, so that a command itself is a function from its arguments to an answer.

    command    `--json`, the example under `--help`, the exit status, and how an answer is printed
    failures   whether what was asked for may have been done, after a part failed or Ctrl-C
    plain      what callers wrote, without what a terminal obeys
    app        the command `stint`, and the groups of commands below it
    local      the settings that the local stack of this checkout left
    env_file   files of KEY='value' lines, to be sourced

Safe to change: how people are answered. With care: `--json` and exit statuses; programs read them.
Never: a control character of a caller's text on the operator's terminal.
"""
