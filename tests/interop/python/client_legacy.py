"""The Python `mcp` client in the handshake era (2025-11-25): client_legacy.py URL SCENARIO, key in API_KEY."""

from scenario import main

main("legacy")
