"""Drives the shop with Python `mcp` 1.x, which knows only the legacy era."""

import asyncio

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client

import checks


async def main():
    expected, era, (transport, where) = checks.arguments()
    if transport == "http":
        streams = streamablehttp_client(where)
    else:
        streams = stdio_client(StdioServerParameters(command=where[0], args=where[1:]))
    async with streams as (read, write, *_), ClientSession(read, write) as client:
        started = await client.initialize()
        checks.report("revision", checks.revision(started.protocolVersion, era))
        listed = await client.list_tools()
        checks.report("lists", checks.lists([tool.name for tool in listed.tools], expected))
        good = await client.call_tool("get_customer", {"customer_id": expected["customer"]["id"]})
        texts = [block.text for block in good.content if block.type == "text"]
        checks.report("row", checks.row(good.isError, good.structuredContent, texts, expected))
        bad = await client.call_tool("get_customer", {"customer_id": expected["bad_id"]})
        checks.report("fault", checks.fault(bad.isError, [block.text for block in bad.content if block.type == "text"]))


asyncio.run(main())
