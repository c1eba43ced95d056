"""Calls of dialect C that read, from a request to its answer: a page of a list, or what is known of one owner.

Who may ask about whom is checked here, for all of them.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from services.command_api.desk.commands import Caller
from services.command_api.desk.desk import Desk
from services.command_api.dialects.answering import Ask, read
from services.command_api.dialects.malformed import Malformed, fault_in, first_of
from services.command_api.dialects.native.admitted import admitted
from services.command_api.dialects.native.answers import WORDS, refused
from services.command_api.dialects.native.lists.filters import query_of
from services.command_api.dialects.values import read_name
from shared.events.rules import Rule

_NO_SUCH_OWNER: Final = "There is no such owner."


class OfOwner(Protocol):
    """A filter of a list. `owner` None: of all owners."""

    @property
    def owner(self) -> str | None:
        """Return the owner that is asked for."""


class PageAsked(Protocol):
    """One page of a list, as a query asks for it."""

    @property
    def filter(self) -> OfOwner:
        """Return which rows are asked for."""


Page = TypeVar("Page", bound=PageAsked)


async def answer_page(
    desk: Desk,
    request: Request,
    read_query: Callable[[Request, str, str | None], Page | Malformed],
    find: Callable[[Caller, Page], Awaitable[Response]],
) -> Response:
    """Answer with the page that `find` finds. `read_query` takes the request, the tenant's zone and the person."""
    caller = await admitted(desk, request)
    if isinstance(caller, Response):
        return caller
    policy = desk.policies.latest(caller.tenant)
    if policy is None:
        return WORDS.unavailable()  # a filter may name a day, which is a day of the tenant's zone
    asked = read_query(request, policy.zone, caller.person)
    if isinstance(asked, Malformed):
        return await read(desk, request, caller, WORDS, asked)
    return await read(desk, request, caller, WORDS, if_theirs(caller, asked.filter.owner, partial(find, caller, asked)))


async def answer_about_owner(
    desk: Desk, request: Request, find: Callable[[Caller, str], Awaitable[Response]]
) -> Response:
    """Answer with what `find` finds of the owner in the path. Such a call takes no query parameters."""
    caller = await admitted(desk, request)
    if isinstance(caller, Response):
        return caller
    owner = request.path_params["owner"]
    problem = first_of(fault_in(query_of(request)), fault_in(read_name(owner, "owner")))
    ask = problem or if_theirs(caller, owner, partial(find, caller, owner))
    return await read(desk, request, caller, WORDS, ask)


def if_theirs(caller: Caller, owner: str | None, ask: Ask) -> Ask | Response:
    """Return the question, or the answer to a person who asks about another owner, whether there is one or not.

    `owner` None: the question is about everybody.
    """
    return ask if caller.person in {None, owner} else refused(Rule.TIMER_UNKNOWN, _NO_SUCH_OWNER)
