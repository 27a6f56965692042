"""The client of the Python SDK, which speaks both eras."""

import httpx2
from asks import order, run
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult


def main():
    it = order()
    target = it["target"]

    def make(mode, answer=None):
        async def callback(context, params):
            return ElicitResult(action=answer(params.message), content={})

        asking = {"mode": mode, "elicitation_callback": callback if answer else None}
        if "url" not in target:
            return Client(StdioServerParameters(command=target["command"], args=target["args"]), **asking)
        carrier = httpx2.AsyncClient(headers=target["headers"])
        return Client(streamable_http_client(target["url"], http_client=carrier), **asking)

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
