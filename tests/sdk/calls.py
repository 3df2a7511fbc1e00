"""What users of the API do, each in a few lines: the calls of the SDK, and what came back as plain data."""

import asyncio
import re

import openai

from client import client

# How long somebody waits who does not want to wait for an hour.
PATIENCE = 4.0
# What DeepSeek puts at the end of a message, since autumn 2026.
ID = re.compile(r" \(request_id: [0-9a-f-]{36}\)$")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def question(**more):
    return {"model": "deepseek-flash", "messages": [{"role": "user", "content": "Hello?"}], **more}


async def chat(task):
    answer = await client(task).chat.completions.create(**question())
    choice = answer.choices[0]
    return {
        "bare uuid": bool(UUID.fullmatch(answer.id)),
        "object": answer.object,
        "model": answer.model,
        "fingerprint": answer.system_fingerprint[:3],
        "role": choice.message.role,
        "text": choice.message.content,
        "reasoning": getattr(choice.message, "reasoning_content", None),
        "finish": choice.finish_reason,
    }


async def chunks(task):
    seen = [chunk async for chunk in await client(task).chat.completions.create(**question(stream=True))]
    deltas = [chunk.choices[0].delta for chunk in seen]
    return {
        "ids": len({chunk.id for chunk in seen}),
        "object": seen[0].object,
        "first": [deltas[0].role, deltas[0].content],
        "text": "".join(delta.content or "" for delta in deltas),
        "finishes": [chunk.choices[0].finish_reason for chunk in seen[-2:]],
        "streamed": len(seen) > 5,
    }


def bill(usage):
    details = usage.completion_tokens_details
    return {
        "prompt adds up": usage.prompt_tokens == usage.prompt_cache_hit_tokens + usage.prompt_cache_miss_tokens,
        "total adds up": usage.total_tokens == usage.prompt_tokens + usage.completion_tokens,
        "cached": usage.prompt_tokens_details.cached_tokens == usage.prompt_cache_hit_tokens,
        "completion": usage.completion_tokens,
        "reasoning": details and details.reasoning_tokens,
    }


async def usage(task):
    answer = await client(task).chat.completions.create(**question())
    return bill(answer.usage)


async def usage_of_a_stream(task):
    asked = question(stream=True, stream_options={"include_usage": True})
    seen = {}
    for name, body in [("asked", asked), ("not asked", question(stream=True))]:
        chunks = [chunk async for chunk in await client(task).chat.completions.create(**body)]
        seen[name] = {
            "bill": bill(chunks[-1].usage),
            "with the finish": chunks[-1].choices[0].finish_reason,
            "elsewhere": any(chunk.usage for chunk in chunks[:-1]),
            "null elsewhere": all("usage" in chunk.model_fields_set for chunk in chunks[:-1]),
        }
    return seen


async def thinking(task):
    body = question(**task["arguments"].get("body", {}))
    message = (await client(task).chat.completions.create(**body)).choices[0].message
    return {"reasoning": message.reasoning_content, "text": message.content}


async def thinking_in_a_stream(task):
    order, reasoning, text = [], "", ""
    async for chunk in await client(task).chat.completions.create(**question(stream=True)):
        delta = chunk.choices[0].delta
        kind = "text" if delta.content else "reasoning" if delta.reasoning_content else None
        order += [kind] if kind and kind not in order[-1:] else []
        reasoning += delta.reasoning_content or ""
        text += delta.content or ""
    return {"order": order, "reasoning": reasoning, "text": text}


async def thinking_by_request(task):
    seen = {}
    for kind in ["enabled", "disabled"]:
        body = question(extra_body={"thinking": {"type": kind}})
        message = (await client(task).chat.completions.create(**body)).choices[0].message
        seen[kind] = bool(getattr(message, "reasoning_content", None))
    return seen


async def budget(task):
    answer = await client(task).chat.completions.create(**question(max_tokens=3))
    return {"finish": answer.choices[0].finish_reason, "completion": answer.usage.completion_tokens}


async def models(task):
    listed = [model async for model in await models_of(task)]
    return [[model.id, model.object, model.owned_by] for model in listed]


async def models_of(task):
    return await client(task).models.list()


async def balance(task):
    return await client(task).get("/user/balance", cast_to=object)


async def bases(task):
    """The same question by each base URL that the documentation allows."""
    paths = ["", "/v1", "/beta"]
    return [(await client(task, path).chat.completions.create(**question())).object for path in paths]


async def ask(task, retries=0):
    """Asks as the arguments of the task say, and tells the answer or the error."""
    told = task["arguments"]
    settings = {name: told[name] for name in ["key", "timeout"] if name in told}
    headers = {name: openai.omit if value is None else value for name, value in told.get("headers", {}).items()}
    asker = client(task, retries=retries, **settings)
    try:
        answer = await asker.chat.completions.create(**question(**told.get("body", {})), extra_headers=headers)
        return answer.choices[0].message.content
    except openai.APIStatusError as error:
        message = error.body["message"] if isinstance(error.body, dict) else error.body
        return [type(error).__name__, error.status_code, error.type, ID.sub("", message).strip()]
    except openai.APIError as error:
        return [type(error).__name__]


async def ask_again(task):
    """Asks with as many retries as the SDK has by default."""
    return await ask(task, retries=openai.DEFAULT_MAX_RETRIES)


async def ask_for_a_while(task):
    try:
        return await asyncio.wait_for(ask_again(task), PATIENCE)
    except asyncio.TimeoutError:
        return "still waiting"


CALLS = {
    call.__name__: call
    for call in [
        chat,
        chunks,
        usage,
        usage_of_a_stream,
        thinking,
        thinking_in_a_stream,
        thinking_by_request,
        budget,
        models,
        balance,
        bases,
        ask,
        ask_again,
        ask_for_a_while,
    ]
}
