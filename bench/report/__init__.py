"""The report: what the samples of a run say. Pure: no clock, no process, no file.

samples     one party under one load, and medians over rounds
targets     what must be reached, and whether it was
stacks      what py-spy saw, by package and by function of ours
flat        what a process held at the beginning of a long load and at its end
tables      all of it as text
"""
