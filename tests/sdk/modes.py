"""The modes of the API that need more than a question: tools, JSON, log probabilities, gaps and prefixes."""

import json

from openai import BadRequestError
from openai.lib.streaming.chat import ChatCompletionStreamState

from client import client

USER = {"role": "user", "content": "Which week am I in? Answer in json."}


def tool(name, parameter):
    schema = {"type": "object", "properties": {parameter: {"type": "integer"}}, "required": [parameter]}
    return {"type": "function", "function": {"name": name, "description": name, "parameters": schema}}


TOOLS = [tool("find_week", "day"), tool("count_kicks", "hours")]


def asked(**more):
    return {"model": "deepseek-flash", "messages": [USER], **more}


def called(calls):
    return [[call.id[:8], call.type, call.function.name, json.loads(call.function.arguments)] for call in calls]


async def tools(task):
    choice = (await client(task).chat.completions.create(**asked(tools=TOOLS))).choices[0]
    return {"finish": choice.finish_reason, "calls": called(choice.message.tool_calls)}


async def tools_in_a_stream(task):
    """By the SDK's own accumulator, and by hand: how many pieces the arguments of the first call have.

    The helper `stream()` around that accumulator takes strict tools only.
    """
    state = ChatCompletionStreamState()
    pieces = 0
    async for chunk in await client(task).chat.completions.create(**asked(tools=TOOLS, stream=True)):
        state.handle_chunk(chunk)
        for call in chunk.choices[0].delta.tool_calls or []:
            pieces += call.index == 0 and bool(call.function.arguments)
    choice = state.get_final_completion().choices[0]
    return {"finish": choice.finish_reason, "calls": called(choice.message.tool_calls), "in pieces": pieces > 1}


async def strict_tools(task):
    """By the helper that streams and then reads the arguments by the schema of the tool."""
    function = {**tool("find_week", "day")["function"], "strict": True}
    function["parameters"]["additionalProperties"] = False
    asked_strictly = asked(tools=[{"type": "function", "function": function}])
    async with client(task, "/beta").chat.completions.stream(**asked_strictly) as stream:
        choice = (await stream.get_final_completion()).choices[0]
    return {"finish": choice.finish_reason, "calls": called(choice.message.tool_calls)}


async def a_round_of_tools(task):
    """Calls the tools, and asks again with what they returned. The thinking has to be passed back."""
    openai = client(task)
    first = (await openai.chat.completions.create(**asked(tools=TOOLS))).choices[0].message
    results = [{"role": "tool", "tool_call_id": call.id, "content": "12"} for call in first.tool_calls]
    messages = [USER, first.model_dump(exclude_none=True), *results]
    last = (await openai.chat.completions.create(model="deepseek-flash", messages=messages, tools=TOOLS)).choices[0]
    del messages[1]["reasoning_content"]
    try:
        await openai.chat.completions.create(model="deepseek-flash", messages=messages, tools=TOOLS)
        forgotten = None
    except BadRequestError as error:
        forgotten = "must be passed back" in error.body["message"]
    return {
        "forgotten thinking is refused": forgotten,
        "text": last.message.content,
        "finish": last.finish_reason,
    }


async def json_mode(task):
    body = asked(response_format={"type": "json_object"})
    return json.loads((await client(task).chat.completions.create(**body)).choices[0].message.content)


def weighed(tokens):
    return {
        "text": "".join(token.token for token in tokens),
        "all below zero": all(token.logprob <= 0 for token in tokens),
        "alternatives": sorted({len(token.top_logprobs) for token in tokens}),
        "bytes": bytes(byte for token in tokens for byte in token.bytes).decode(),
    }


async def log_probabilities(task):
    body = asked(logprobs=True, top_logprobs=2)
    single = (await client(task).chat.completions.create(**body)).choices[0].logprobs.content
    streamed = []
    async for chunk in await client(task).chat.completions.create(**body, stream=True):
        logprobs = chunk.choices[0].logprobs
        streamed += (logprobs and logprobs.content) or []
    return {"single": weighed(single), "streamed": weighed(streamed)}


GAP = {"model": "deepseek-flash", "prompt": "def week(day):", "suffix": "    return week"}


async def a_gap(task):
    answer = await client(task, "/beta").completions.create(**GAP)
    choice = answer.choices[0]
    streamed = [chunk async for chunk in await client(task, "/beta").completions.create(**GAP, stream=True)]
    return {
        "object": answer.object,
        "text": choice.text,
        "finish": choice.finish_reason,
        "streamed": "".join(chunk.choices[0].text for chunk in streamed if chunk.choices),
    }


async def a_prefix(task):
    prefix = {"role": "assistant", "content": "Week ", "prefix": True}
    body = {"model": "deepseek-flash", "messages": [USER, prefix]}
    return (await client(task, "/beta").chat.completions.create(**body)).choices[0].message.content


CALLS = {
    call.__name__: call
    for call in [
        tools,
        tools_in_a_stream,
        strict_tools,
        a_round_of_tools,
        json_mode,
        log_probabilities,
        a_gap,
        a_prefix,
    ]
}
