"""Plays one scenario file with a connected client of the Python `mcp` package and prints what the client saw."""

import asyncio
import json
import os
import sys
from importlib.metadata import version

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult

TOTAL_SECONDS_MAX = 60


def wire(value):
    return value.model_dump(mode="json", by_alias=True, exclude_none=True)


async def answered(request):
    """The result of a request, or the error that the peer or the transport gave instead."""
    try:
        return {"result": wire(await request)}
    except MCPError as error:
        return {"error": wire(error.error)}


async def call(client, step):
    progress = []

    async def on_progress(done, total, message):
        progress.append({"progress": done, "total": total, "message": message})

    outcome = await answered(client.call_tool(step["tool"], step["arguments"], progress_callback=on_progress))
    return {"tool": step["tool"], "progress": progress, **outcome}


async def cancel(client, step):
    """Cancels a call after its first progress notification, then asks the witness, on the same connection."""
    started = asyncio.Event()

    async def on_progress(*_):
        started.set()

    task = asyncio.create_task(client.call_tool(step["tool"], step["arguments"], progress_callback=on_progress))
    await started.wait()
    task.cancel()
    outcome = await asyncio.gather(task, return_exceptions=True)
    witness = step["witness"]
    return {
        "cancelled": isinstance(outcome[0], asyncio.CancelledError),
        "witness": await answered(client.call_tool(witness["tool"], witness["arguments"])),
    }


async def play(client, scenario):
    capabilities = client.server_capabilities
    saw = {"tools": wire(await client.list_tools())["tools"]}
    if capabilities.resources:
        saw["resources"] = wire(await client.list_resources())["resources"]
        saw["templates"] = wire(await client.list_resource_templates())["resourceTemplates"]
    if capabilities.prompts:
        saw["prompts"] = wire(await client.list_prompts())["prompts"]
    saw["calls"] = [await call(client, step) for step in scenario.get("calls", [])]
    saw["read"] = [await answered(client.read_resource(uri)) for uri in scenario.get("read", [])]
    saw["prompted"] = [
        await answered(client.get_prompt(step["prompt"], step["arguments"])) for step in scenario.get("prompted", [])
    ]
    if "cancel" in scenario:
        saw["cancel"] = await cancel(client, scenario["cancel"])
    return saw


async def run(mode):
    url, scenario_file = sys.argv[1:]
    with open(scenario_file, encoding="utf-8") as file:
        scenario = json.load(file)

    async def answer(_context, _params):
        return ElicitResult(action="accept", content=scenario.get("answer", {}))

    http = httpx2.AsyncClient(headers={"x-api-key": os.environ["API_KEY"]}, timeout=TOTAL_SECONDS_MAX)
    async with asyncio.timeout(TOTAL_SECONDS_MAX), http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode, elicitation_callback=answer) as client:
            report = {
                "client": f"mcp {version('mcp')} (Python)",
                "revision": client.protocol_version,
                "server": wire(client.server_info) if client.server_info else None,
                "saw": await play(client, scenario),
            }
    print(json.dumps(report, ensure_ascii=False))


def main(mode):
    asyncio.run(run(mode))
