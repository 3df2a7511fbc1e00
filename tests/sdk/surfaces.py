"""The other two surfaces of the API: the Responses format by the same SDK, the Anthropic format by its own."""

import anthropic

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


CALLS = {call.__name__: call for call in [responses, messages, messages_refused]}
