"""The feed is told in the API's document as its own process answers it."""

from services.command_api.openapi.operations import feed
from services.feed.calls import answers, asking
from services.feed.calls.feed import ANSWERS, PATH

[TOLD] = feed.OPERATIONS


def test_its_path_parameters_and_limits_are_those_of_the_feed() -> None:
    assert (TOLD.method, TOLD.path) == ("GET", PATH)
    assert {told.name for told in TOLD.parameters} == {"after", "wait", "limit", "Last-Event-ID"}
    ours = (feed.WAIT_SECONDS_MAX, feed.LINES_MAX, feed.LINES_DEFAULT)
    assert ours == (asking.WAIT_SECONDS_MAX, asking.LINES_MAX, asking.LINES_DEFAULT)


def test_each_status_of_the_feed_is_told_and_no_other() -> None:
    """405 is told of no call, and 500 of each."""
    answered = {200 if word in {"lines", "events"} else int(word) for word in ANSWERS}
    assert {answer.status for answer in TOLD.answers} == (answered - {405}) | {500}


def test_a_position_that_is_gone_is_answered_as_its_example_says() -> None:
    (gone,) = [answer for answer in TOLD.answers if answer.status == 410]
    (content,) = gone.contents
    said = answers.gone(content.example["after"])
    assert feed.FeedGone.model_validate_json(bytes(said.body)).model_dump() == content.example
    assert said.headers["content-type"] == content.media
