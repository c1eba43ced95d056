"""Growth: is the product slower when it holds millions of timers? `make bench-growth`.

    __main__    two stacks side by side, one nearly empty and one full, pressed and read in turn
    patterns    a cycle as the product wrote it, and copies of it for other timers
    filling     copies appended to the topics
    reading     how long reads take

The full one is filled by the outcomes' own path: records as the product wrote them are copied onto the topics with
other ids, and a projector takes them over as it does after the loss of its database.
"""
