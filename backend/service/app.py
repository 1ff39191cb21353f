"""The application: endpoints, access control, errors and documentation put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi_offline import FastAPIOffline

from backend.service import info, live_socket, predict, predict_video
from backend.service.access import AccessControl, AccessMiddleware
from backend.service.errors import add_error_handlers
from backend.service.settings import ServiceSettings
from backend.service.state import State
from utils.settings import Settings

DESCRIPTION = f"""\
{info.NOTICE}

Images are analysed in memory and then discarded; nothing of them is logged.

Results are described in docs/results.md. All errors have the same form:
`{{"error": {{"code": "…", "message": "…", "field": "…"}}}}`.

**WebSocket** `/ws` (query: `detector`, `top`, `min_face`, `min_score`): send JPEG, PNG or WebP
bytes as binary messages; each reply is `{{"frame", "dropped", "age_ms", "result"}}`, with `error`
instead of `result` if it failed. Send as fast as you like: the newest frame is analysed, older ones
are dropped. A browser sends the key as a subprotocol:
`new WebSocket(url, ["emotion", "key." + key])`.

Limits, set by environment variables:

{ServiceSettings.table()}
"""


def create_app(
    settings: ServiceSettings, model_settings: Settings, *, host: str = "localhost"
) -> FastAPI:
    """Return the application; it loads the model when it starts.

    Args:
        settings: Limits and access.
        model_settings: Which model and detector.
        host: The name or address that the service listens on.
    """
    state = State(settings, model_settings, AccessControl(settings, host))

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
    for router in (predict.router, predict_video.router, info.router, live_socket.router):
        app.include_router(router)
    add_error_handlers(app)
    # The middleware that is added last sees requests first.
    app.add_middleware(AccessMiddleware, state.access, metrics=state.metrics)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
        )
    return app
