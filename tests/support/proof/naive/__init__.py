"""A second fold, written apart from the first: from the pages in docs/ alone, with plain dicts, slow and obvious.

It shares the pinned zone data, the ids' layout and the policy book with the product, and not one line of its domain.
"""
