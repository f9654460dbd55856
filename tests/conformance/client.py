"""A client for the client scenarios of the official suite, on the Python `mcp` package: client.py [careless] SERVER_URL.

What to do is the suite's to say, by MCP_CONFORMANCE_SCENARIO and its context. With DOOR set, the server is not spoken to: whoever listens there
makes an instance of the gateway in front of it, and that is. A careless client calls whatever is in the list, whether the rules let it or not.
Where a scenario is about authorization, somebody at the door authorizes the instance's connection as often as the gateway asks for it, within
reason: the client knows nothing of that.
"""

import asyncio
import json
import os
import sys

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult
from pydantic import ValidationError

SECONDS_MAX = 60
LEGACY = "2025-11-25"
MODERN = "2026-07-28"
MODERN_META = {"protocolVersion": MODERN, "clientCapabilities": {}, "clientInfo": {"name": "careless", "version": "1"}}
SUM = {"a": 2, "b": 3}
AUTHORIZATIONS_MAX = 3


def suggested(field: dict):
    """What a form suggests for a field, or the least that it takes."""
    return field.get("default", {"boolean": True, "integer": 1, "number": 1}.get(field.get("type"), "text"))


async def answer(_context, params):
    """A user who accepts every form as it is suggested."""
    properties = params.requested_schema.get("properties", {})
    return ElicitResult(action="accept", content={name: suggested(field) for name, field in properties.items()})


async def all_lists(client):
    """Whatever has a target is asked for each of its targets."""
    for tool in (await client.list_tools()).tools:
        await client.call_tool(tool.name, {})
    for resource in (await client.list_resources()).resources:
        await client.read_resource(str(resource.uri))
    for prompt in (await client.list_prompts()).prompts:
        await client.get_prompt(prompt.name)


async def told_calls(client):
    """The calls that the suite tells, of those tools that are still in the list."""
    listed = {tool.name for tool in (await client.list_tools()).tools}
    for call in json.loads(os.environ["MCP_CONFORMANCE_CONTEXT"]).get("toolCalls", []):
        if call["name"] in listed:
            await client.call_tool(call["name"], call["arguments"])


async def only_list(client):
    await client.list_tools()


async def listed_calls(client):
    """Every tool of the list, once."""
    for tool in (await client.list_tools()).tools:
        await client.call_tool(tool.name, SUM if "a" in tool.input_schema.get("properties", {}) else {})


SCENARIOS = {
    "initialize": only_list,
    "json-schema-ref-no-deref": only_list,
    "request-metadata": only_list,
    "http-standard-headers": all_lists,
    "http-custom-headers": told_calls,
    "http-invalid-tool-headers": listed_calls,
}


async def endpoint(server: str) -> tuple[str, dict[str, str]]:
    """Where to ask, and with what."""
    if "DOOR" not in os.environ:
        return server, {}
    async with httpx2.AsyncClient(timeout=SECONDS_MAX) as http:
        made = (await http.get(os.environ["DOOR"], params={"server": server})).json()
    return made["url"], {"x-api-key": made["api_key"]}


async def careless(url: str, headers: dict[str, str]) -> None:
    """Lists and calls without the package, which would leave out what breaks the rules."""
    meta = {f"io.modelcontextprotocol/{name}": value for name, value in MODERN_META.items()}

    async def ask(method: str, params: dict, **mirrored: str) -> dict:
        told = {"mcp-protocol-version": MODERN, "mcp-method": method, "accept": "application/json, text/event-stream"}
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
        return (await http.post(url, json=body, headers={**told, **mirrored})).json()

    async with httpx2.AsyncClient(headers=headers, timeout=SECONDS_MAX) as http:
        for tool in (await ask("tools/list", {}))["result"]["tools"]:
            await ask("tools/call", {"name": tool["name"], "arguments": {}}, **{"mcp-name": tool["name"]})


async def authorized(server: str) -> None:
    """Calls until the gateway need not be authorized any more, or somebody at the door gives up."""
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    known = {name: context[name] for name in ("client_id", "client_secret") if name in context}
    for _ in range(AUTHORIZATIONS_MAX):
        async with httpx2.AsyncClient(timeout=SECONDS_MAX) as http:
            made = (await http.get(os.environ["DOOR"], params={"server": server, **known})).json()
        if not made["authorized"]:
            sys.exit("the connection is not authorized")
        try:
            if await asked(made["url"], {"x-api-key": made["api_key"]}, only_list_and_call):
                return
        except Exception as error:  # the package wraps what it gets in groups of its own
            print(f"no good answer: {error!r}", file=sys.stderr)


async def only_list_and_call(client):
    """Every tool of the list, once: the first one that is refused is the last."""
    for tool in (await client.list_tools()).tools:
        await client.call_tool(tool.name, {})


async def run() -> None:
    if os.environ["MCP_CONFORMANCE_SCENARIO"].startswith("auth/"):
        return await authorized(sys.argv[-1])
    url, headers = await endpoint(sys.argv[-1])
    if "careless" in sys.argv:
        return await careless(url, headers)
    await asked(url, headers, SCENARIOS.get(os.environ["MCP_CONFORMANCE_SCENARIO"], listed_calls))


async def asked(url: str, headers: dict[str, str], scenario) -> bool:
    """Opens a conversation and does what a scenario wants in it. Whether all of it was answered well."""
    mode = "legacy" if os.environ.get("MCP_CONFORMANCE_PROTOCOL_VERSION") == LEGACY else "auto"
    http = httpx2.AsyncClient(headers=headers, timeout=SECONDS_MAX)
    async with asyncio.timeout(SECONDS_MAX), http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode, elicitation_callback=answer) as client:
            try:
                await scenario(client)
            except (MCPError, ValidationError) as error:  # what the suite makes of it stands in its checks
                print(f"no good answer: {error}", file=sys.stderr)
                return False
    return True


asyncio.run(run())
