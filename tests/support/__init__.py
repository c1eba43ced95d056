"""The rig: what test files of more than one folder use. What one folder uses is in its test file or beside it.

    story/    presses and histories, told in a line each
    fakes/    stand-ins for the product's ports, store and desk
    stack/    real parts: Kafka, Postgres, processes, and clients of them
    proof/    what must be true afterwards: checkers, a second fold, evidence
    left_tasks    a test that failed ends before its fixtures do

`tests/world` is a rig of its own: a seeded world in memory. Its checkers are those of `proof/`.
Safe to add: a stand-in's mood, as an argument. With care: `proof/`, because a lenient checker proves nothing.
Never: product code that imports from here; a test file that is imported; a module that one test file alone uses.
"""
