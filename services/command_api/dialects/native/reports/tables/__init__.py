"""Tables: days as lines of cells, for spreadsheets.

csv        the lines as CSV, and who asks for them
"""
