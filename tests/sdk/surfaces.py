"""The other surfaces of the API: Responses and files by the same SDK, the Anthropic format by its own."""

import json

import anthropic
import openai

from client import TIMEOUT, client

MODEL = "deepseek-flash"
ASKED = {"model": MODEL, "max_tokens": 64, "messages": [{"role": "user", "content": "Hello?"}]}


async def responses(task):
    openai = client(task)
    answer = await openai.responses.create(model=MODEL, input="Hello?")
    events = [event async for event in await openai.responses.create(model=MODEL, input="Hello?", stream=True)]
    return {
        "object": answer.object,
        "status": answer.status,
        "text": answer.output_text,
        "bill": answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens,
        "ends": [events[0].type, events[-1].type],
        "counted": [event.sequence_number for event in events] == list(range(len(events))),
        "streamed": "".join(event.delta for event in events if event.type == "response.output_text.delta"),
        "whole": events[-1].response.output_text,
    }


TOOL = {
    "type": "function",
    "name": "find_week",
    "description": "Finds the week of a day.",
    "parameters": {"type": "object", "properties": {"day": {"type": "integer"}}, "required": ["day"]},
    "strict": False,
}


def items(response):
    """What a response is made of: thinking, texts and calls."""
    told = {
        "reasoning": lambda item: "".join(part.text for part in item.content),
        "message": lambda item: "".join(part.text for part in item.content),
        "function_call": lambda item: [item.name, json.loads(item.arguments)],
    }
    return [[item.type, told[item.type](item)] for item in response.output]


async def tools_of_responses(task):
    """Whole, by the helper that puts a stream together, and once more with the result of the call."""
    asker = client(task)
    asked = {"model": MODEL, "input": "Which week am I in?", "tools": [TOOL]}
    whole = await asker.responses.create(**asked)
    async with asker.responses.stream(**asked) as stream:
        streamed = await stream.get_final_response()
    call = whole.output[-1]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "12"}
    history = [{"role": "user", "content": asked["input"]}, *whole.output, result]
    last = await asker.responses.create(**{**asked, "input": history})
    return {"whole": items(whole), "streamed": items(streamed), "last": items(last)}


async def responses_refused(task):
    try:
        await client(task).responses.create(model="gpt-9", input="Hello?")
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.type]


async def files(task):
    asker = client(task).files
    stored = await asker.create(file=("kicks.txt", b"ten kicks"), purpose="user_data")
    listed = [file async for file in asker.list()]
    found = await asker.retrieve(stored.id)
    gone = await asker.delete(stored.id)
    try:
        await asker.retrieve(stored.id)
    except openai.NotFoundError as error:
        missing = error.status_code
    return {
        "stored": [stored.object, stored.filename, stored.bytes, stored.purpose],
        "listed": [file.id for file in listed] == [stored.id],
        "found": found == stored,
        "gone": gone.deleted,
        "missing": missing,
    }


def anthropic_client(task, key="sk-test-of-the-sdks"):
    return anthropic.AsyncAnthropic(
        base_url=task["url"] + "/anthropic", api_key=key, timeout=TIMEOUT, max_retries=0
    )


async def messages(task):
    asker = anthropic_client(task)
    answer = await asker.messages.create(**ASKED)
    async with asker.messages.stream(**ASKED) as stream:
        streamed = "".join([text async for text in stream.text_stream])
        last = await stream.get_final_message()
    return {
        "kind": [answer.type, answer.role],
        "text": "".join(block.text for block in answer.content if block.type == "text"),
        "stop": answer.stop_reason,
        "counted": answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0,
        "streamed": streamed,
        "last": last.stop_reason,
    }


async def messages_refused(task):
    try:
        await anthropic_client(task, key="wrong-key-cd15").messages.create(**ASKED)
    except anthropic.APIStatusError as error:
        return [type(error).__name__, error.status_code]


CALLS = {
    call.__name__: call
    for call in [responses, tools_of_responses, responses_refused, files, messages, messages_refused]
}
