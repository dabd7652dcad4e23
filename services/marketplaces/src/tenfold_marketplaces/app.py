"""The simulator's HTTP interface: six marketplaces, their faults, and an identity provider."""

from importlib import metadata

import pydantic
from starlette import applications, requests, responses, routing
from tenfold_runtime import api, middleware

from tenfold_marketplaces import identity, metrics
from tenfold_marketplaces.behaviour import Behaviour
from tenfold_marketplaces.schemas import SCHEMAS
from tenfold_marketplaces.schemas.base import Name
from tenfold_marketplaces.settings import Settings
from tenfold_marketplaces.upstream import Marketplace

VERSION = metadata.version("tenfold-marketplaces")


class Which(pydantic.BaseModel):
    """Which marketplace."""

    marketplace: Name


class References(pydantic.BaseModel):
    """What clients called their orders, oldest first; one that came twice is there twice."""

    references: list[str]


def create_app(config: Settings, lifecycle: middleware.Lifecycle) -> applications.Starlette:
    """Assemble the application."""
    places = {
        name: Marketplace(
            schema, config.behaviour.get(name, Behaviour()), config.seed, config.products
        )
        for name, schema in SCHEMAS.items()
    }
    routes: list[routing.BaseRoute] = [
        route for place in places.values() for route in place.routes()
    ]
    return api.create(
        [*_admin(places), *identity.endpoints(identity.Identity(config.seed))],
        lifecycle,
        title="Tenfold's simulated marketplaces",
        version=VERSION,
        revision=config.revision,
        prefix=metrics.PREFIX,
        max_requests_in_flight=config.max_requests_in_flight,
        routes=routes,
    )


def _admin(places: dict[Name, Marketplace]) -> list[api.Endpoint]:
    initial = {name: place.upstream.behaviour for name, place in places.items()}

    async def show(_: requests.Request, which: Which) -> responses.Response:
        return api.answer(places[which.marketplace].upstream.behaviour)

    async def change(request: requests.Request, which: Which) -> responses.Response:
        upstream = places[which.marketplace].upstream
        named = await api.read_body(request, Behaviour)
        changes = named.model_dump(exclude_unset=True)
        upstream.behaviour = upstream.behaviour.model_copy(update=changes)
        return api.answer(upstream.behaviour)

    async def reset(_: requests.Request, which: Which) -> responses.Response:
        places[which.marketplace].upstream.behaviour = initial[which.marketplace]
        return api.answer(initial[which.marketplace])

    async def references(_: requests.Request, which: Which) -> responses.Response:
        orders = places[which.marketplace].catalogue.orders
        return api.answer(References(references=[order.reference for order in orders]))

    path = "/admin/{marketplace}"
    return [
        api.Endpoint(
            "GET",
            path,
            show,
            Which,
            summary="Tell how a marketplace behaves.",
            answer=Behaviour,
        ),
        api.Endpoint(
            "PATCH",
            path,
            change,
            Which,
            summary="Change how a marketplace behaves; what is not named stays.",
            body=Behaviour,
            answer=Behaviour,
            problems=(422,),
        ),
        api.Endpoint(
            "DELETE",
            path,
            reset,
            Which,
            summary="Let a marketplace behave as it did at the start.",
            answer=Behaviour,
        ),
        api.Endpoint(
            "GET",
            f"{path}/references",
            references,
            Which,
            summary="Tell which orders came, for those who count them.",
            answer=References,
        ),
    ]
