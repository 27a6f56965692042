"""Performs what it is asked with a client of either Python library, and prints what the client got.

It does not know which answers are right.
"""

import asyncio
import json
import os
import sys

REVISIONS = {"legacy": "2025-11-25", "modern": "2026-07-28"}


def order():
    """Reads the order of a run: `target`, `era` and `asks`; where these say what a person replies, also `people`."""
    return json.load(sys.stdin)


def run(make, one, it):
    """Prints an outcome per ask: the `result`, or the `error` that the client raised.

    `make` gives a client, which asks a person through `answer` if it can.
    """
    print(json.dumps(asyncio.run((converse if it.get("people") else perform)(make, one, it))))


async def converse(make, one, it):
    outcomes = []
    for ask in it["asks"]:
        questions, reply = [], ask.get("reply")

        def answer(question):
            questions.append(question)
            if reply == "leave":
                print(json.dumps([*outcomes, {"questions": questions}]), flush=True)
                os._exit(0)  # Nobody closes anything.
            return reply

        asked = (lambda mode: make(mode, answer)) if reply else make
        [outcome] = await perform(asked, one, {**it, "asks": [ask]})
        outcomes.append({**outcome, "questions": questions})
    return outcomes


async def perform(make, one, it):
    asks, outcomes = it["asks"], []
    try:
        # Unless it is told otherwise, a client finds out which era the server speaks.
        async with make("legacy" if it["era"] == "legacy" else "auto") as client:
            if client.protocol_version != REVISIONS[it["era"]]:
                raise RuntimeError(f"it speaks {client.protocol_version}")
            for ask in asks:
                outcomes.append(await outcome(one, client, ask))
    except Exception as err:
        outcomes += [raised(err)] * (len(asks) - len(outcomes))
    return outcomes


async def outcome(one, client, ask):
    try:
        result = await one(client, ask["method"], ask.get("params", {}))
        return {"result": result.model_dump(mode="json", by_alias=True, exclude_none=True)}
    except Exception as err:
        return raised(err)


def raised(err):
    while isinstance(err, BaseExceptionGroup):
        err = err.exceptions[0]
    return {"error": {"code": getattr(err, "code", None), "message": str(err) or repr(err)}}
