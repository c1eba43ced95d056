"""Tables: days as lines of cells, for spreadsheets, in the form that a caller asks for.

    cells      the columns, and a line of cells for each day
    csv        the lines as CSV
    xlsx       the lines as a workbook

Safe to change: a new column, as the last one, in `cells`.
With care: `xlsx` imports XlsxWriter. Import it where a workbook is made and nowhere else: a start does not pay for it.
Never: an id as anything but text. A caller's id may look like a number, a formula, a link or markup.
"""
