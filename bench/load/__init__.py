"""The load: wrk, what it sends, and what it says.

cycles.lua  starts and stops, each answer checked
wrk         one run of it
"""
