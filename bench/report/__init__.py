"""The report: what the samples of a run say. Pure: no clock, no process, no file.

samples     one party under one load, and medians over rounds
targets     what must be reached, and whether it was
tables      both as text
"""
