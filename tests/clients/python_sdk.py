"""The client of the Python SDK, which speaks both eras."""

import httpx2
from asks import order, run
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client


def main():
    it = order()
    target = it["target"]

    def make(mode):
        if "url" not in target:
            return Client(StdioServerParameters(command=target["command"], args=target["args"]), mode=mode)
        carrier = httpx2.AsyncClient(headers=target["headers"])
        return Client(streamable_http_client(target["url"], http_client=carrier), mode=mode)

    run(make, one, it)


async def one(client, method, params):
    match method:
        case "tools/list":
            return await client.list_tools()
        case "tools/call":
            return await client.call_tool(params["name"], params["arguments"])
        case "resources/templates/list":
            return await client.list_resource_templates()
        case "resources/read":
            return await client.read_resource(params["uri"])


main()
