"""The checkers of C1-C10, C15 and C16: functions over plain evidence, whichever world it comes from."""
