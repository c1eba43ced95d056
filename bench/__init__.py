"""Benchmarks: what a change of the code costs, as ratios within one run.

    rules       what a press costs in the fold with all rules flagged, against none

Never: a time limit in a test. Machines differ, and a ratio of interleaved rounds does not.
"""
