"""Runs tasks with the SDKs for Python: a list of {name, call, url} on stdin, a line of {name, saw} each on stdout.

All run at once in this process. What a task saw is data; judging it is the business of the test that started us.
"""

import asyncio
import json
import os
import sys

import calls
import cells
import modes
import surfaces
from client import describe

CALLS = {**calls.CALLS, **cells.CALLS, **modes.CALLS, **surfaces.CALLS}

# A task starts when the one before has ended, or after so long: a crowd at the start would look like a slow mock.
HEAD_START = 0.02
# The absolute limit of a task that sets none of its own.
TASK_MAX = 20.0
# The absolute limit of all of them.
ALL_MAX = 120.0


async def run(task):
    call = CALLS[task["call"]]
    try:
        saw = await asyncio.wait_for(call(task), TASK_MAX)
    except Exception as error:
        saw = {"raised": describe(error)}
    print(json.dumps({"name": task["name"], "saw": saw}), flush=True)


async def main():
    running = []
    for task in json.load(sys.stdin):
        running.append(asyncio.create_task(run(task)))
        # The first loads half of the SDK; nobody else's time should run meanwhile.
        await asyncio.wait(running[-1:], timeout=HEAD_START if running[1:] else None)
    await asyncio.wait_for(asyncio.gather(*running), ALL_MAX)


asyncio.run(main())
# Connections that still hang must not hold the end up.
os._exit(0)
