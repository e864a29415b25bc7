"""Drives the shop with Python `mcp` 2.x, in either era."""

import asyncio

from mcp import Client, StdioServerParameters

import checks


async def main():
    expected, era, (transport, where) = checks.arguments()
    server = where if transport == "http" else StdioServerParameters(command=where[0], args=where[1:])
    async with Client(server, mode="2026-07-28" if era == "modern" else "legacy") as client:
        checks.report("revision", checks.revision(client.protocol_version, era))
        listed = await client.list_tools()
        checks.report("lists", checks.lists([tool.name for tool in listed.tools], expected))
        good = await client.call_tool("get_customer", {"customer_id": expected["customer"]["id"]})
        texts = [block.text for block in good.content if block.type == "text"]
        checks.report("row", checks.row(good.is_error, good.structured_content, texts, expected))
        bad = await client.call_tool("get_customer", {"customer_id": expected["bad_id"]})
        checks.report("fault", checks.fault(bad.is_error, [block.text for block in bad.content if block.type == "text"]))


asyncio.run(main())
