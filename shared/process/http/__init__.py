"""HTTP: how a process serves requests, from the socket to the call.

    server           serving from the first request to the last, and ending within a limit
    protocol         how a request is read off a connection, so that none hides in another
    cycle            one request and its answer: an ordinary one is made once and written at once
    joined_writes    the head of any other answer and its body in one write of the socket
    front            the calls that bear the load, without the layers of the framework
    paths            a route ends where its path ends
    problem          errors as RFC 9457 has them
    probes           whether to restart the process, and whether to send it requests
    asking           whether a sender waits to be asked for its body
    accept           which media types a caller would rather have

Safe to change: limits. With care: an upgrade of uvicorn; compare what `protocol` and `cycle` stand for.
Never: a byte of a body taken for the next request.
"""
