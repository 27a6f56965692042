"""The client of FastMCP, which speaks both eras."""

from asks import order, run
from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport


def main():
    it = order()
    target = it["target"]

    def make(mode, answer=None):
        async def handler(message, response_type, params, context):
            return ElicitResult(action=answer(message), content={})

        asking = {"mode": mode, "elicitation_handler": handler if answer else None}
        if "url" in target:
            return Client(StreamableHttpTransport(target["url"], headers=target["headers"]), **asking)
        # A process of its own for each client.
        return Client(StdioTransport(target["command"], target["args"], keep_alive=False), **asking)

    run(make, one, it)


async def one(client, method, params):
    match method:
        case "tools/list":
            return await client.list_tools_mcp()
        case "tools/call":
            return await client.call_tool_mcp(params["name"], params["arguments"])
        case "resources/templates/list":
            return await client.list_resource_templates_mcp()
        case "resources/read":
            return await client.read_resource_mcp(params["uri"])


main()
