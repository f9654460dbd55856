"""An MCP server on the Python `mcp` package that speaks both eras on one endpoint, to stand behind the gateway.

It listens on a free loopback port and says so on stderr. It keeps the headers of every HTTP request it received, so
that a test can prove what reached it, and which of its slow calls were cancelled.
"""

import asyncio
import socket
import sys
from typing import Annotated

import uvicorn
from mcp.server.mcpserver import Context, Elicit, MCPServer, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

STEP_SECONDS = 0.05
CANCELLATION_WAIT_SECONDS = 10

server = MCPServer("interop", version="1.0.0", instructions="Tools that do little and say what they saw.")
requests_seen: list[dict[str, str]] = []
cancelled: dict[str, asyncio.Event] = {}


@server.tool(title="Echo")
def echo(text: str) -> str:
    """Answers with the text it was given."""
    return text


@server.tool()
def add(a: int, b: int) -> int:
    """Adds two integers."""
    return a + b


@server.tool()
def region(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> str:
    """Takes an argument that 2026-07-28 clients must repeat as a header (SEP-2243)."""
    return f"served in {region}"


@server.tool()
async def slow(label: str, steps: int, ctx: Context) -> str:
    """Reports progress at every step, and remembers whether it was cancelled."""
    cancelled[label] = asyncio.Event()
    try:
        for step in range(1, steps + 1):
            await asyncio.sleep(STEP_SECONDS)
            await ctx.report_progress(step, steps, f"step {step}")
    except asyncio.CancelledError:
        cancelled[label].set()
        raise
    return f"{label}: {steps} steps"


@server.tool()
async def was_cancelled(label: str) -> bool:
    """Waits for the slow call with this label to be cancelled."""
    try:
        await asyncio.wait_for(cancelled[label].wait(), CANCELLATION_WAIT_SECONDS)
    except TimeoutError:
        return False
    return True


@server.tool()
def fail(reason: str) -> str:
    """Fails for the reason it was given."""
    raise ToolError(reason)


class Answer(BaseModel):
    name: str


async def ask_name() -> Elicit[Answer]:
    return Elicit("What is your name?", Answer)


@server.tool()
async def greet(answer: Annotated[Answer, Resolve(ask_name)]) -> str:
    """Asks the caller's user for a name: a request of its own in 2025-11-25, an `input_required` result in 2026-07-28."""
    return f"Hello, {answer.name}."


@server.tool()
def secret_tool() -> str:
    """Stands for what an allow-list hides."""
    return "the secret was told"


@server.tool()
def seen_headers() -> list[dict[str, str]]:
    """The headers of every HTTP request so far, this one included."""
    return requests_seen


@server.resource("interop://notice", name="notice", mime_type="text/plain")
def notice() -> str:
    """A text with letters of several scripts."""
    return "関所: show your permit. Ausweis, bitte. ✓"


@server.resource("interop://stamp/{number}", name="stamp", mime_type="application/octet-stream")
def stamp(number: str) -> bytes:
    """Bytes that are not text."""
    return bytes([0, 255, 128]) + number.encode()


@server.prompt(title="Review")
def review(subject: str, tone: str = "kind") -> str:
    """Asks for a review."""
    return f"Review {subject} in a {tone} tone."


class Recorder:
    """ASGI middleware that keeps the headers of each request. The last value wins when a name is repeated."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            requests_seen.append({":method": scope["method"], ":target": scope["path"], **headers})
        await self.app(scope, receive, send)


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"listening on port {listener.getsockname()[1]}", file=sys.stderr, flush=True)
    config = uvicorn.Config(Recorder(server.streamable_http_app()), log_level="warning", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
