"""The report: tables and ratios from the samples of a run. Pure: no clock, no process, no file.

samples     one party under one load, and medians over rounds
targets     what must be reached, and whether it was
stacks      py-spy's samples, by package and by function of ours
flat        what a process held at the beginning of a long load and at its end
tables      all of it as text
"""
