"""The application: addresses, limits and documentation put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi_offline import FastAPIOffline

from backend.service import info, live_socket, predict
from backend.service.access import Gatekeeper
from backend.service.errors import add_error_handlers
from backend.service.settings import ServiceSettings
from backend.service.state import State
from utils.settings import Settings

DESCRIPTION = f"""\
{info.NOTICE}

Pictures are analysed in memory and forgotten; nothing of them is logged.

Results are described in docs/results.md. Every error has one shape:
`{{"error": {{"code": "…", "message": "…", "field": "…"}}}}`.

**WebSocket** `/ws` (query: `detector`, `top`, `min_face`, `min_score`): send JPEG, PNG or WebP
bytes as binary messages; each message back is `{{"frame", "dropped", "age_ms", "result"}}`, or has
`error` in the place of `result`. Send as fast as you like: the newest frame is answered, older ones
are dropped. A browser gives the key as a subprotocol:
`new WebSocket(url, ["emotion", "key." + key])`.

Limits, from the environment:

{ServiceSettings.table()}
"""


def create_app(settings: ServiceSettings, model_settings: Settings) -> FastAPI:
    """Return the application; it loads the model when it is started.

    Args:
        settings: Limits and access.
        model_settings: Which model and detector.
    """
    state = State(settings, model_settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loading = asyncio.create_task(state.load())
        yield
        loading.cancel()
        if state.engine:
            state.engine.close()

    app = FastAPIOffline(
        title="Emotion detection",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        swagger_ui_parameters={"tryItOutEnabled": True},
    )
    app.state.service = state
    for router in (predict.router, info.router, live_socket.router):
        app.include_router(router)
    add_error_handlers(app)
    # The last one added is the first to see a request.
    app.add_middleware(Gatekeeper, settings, state.metrics)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
        )
    return app
