"""Published: the calls of dialects A and B, as the owners of those APIs publish them.

    thebase     dialect A
    zoho        dialect B

Never: a call, a parameter or a word that their owners do not publish, unless docs/contract.md marks it as ours.
"""
