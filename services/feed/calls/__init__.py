"""Calls: `GET /v1/feed`, from the request to the last line of its answer.

    feed       the one way of a request: caller, parameters, room, place, answer
    asking     what a request asks for
    answers    problems, in the words of dialect C
    lines      outcomes as JSON lines, and as server-sent events
    stream     an answer that is sent piece by piece, to callers that may stop reading
    room       how many readers there may be

Safe to change: words that no contract has. With care: `stream`, because a caller that reads nothing must cost little.
Never: an outcome in other bytes than those on the stream.
"""
