"""The Python `mcp` client of 2026-07-28, which falls back when the server is older: client_modern.py URL SCENARIO."""

from scenario import main

main("auto")
