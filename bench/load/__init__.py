"""The load: wrk, what it sends, and what it reports.

cycles.lua  starts and stops, each answer checked
wrk         one run of it
"""
