"""The projector: presses in, verdicts and read models out. One writer per partition."""
