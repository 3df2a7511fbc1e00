"""One fault, one form of reply: what a careful user of the SDK is left with, in a few words.

Careful: the code below trusts no type of the SDK. Where the SDK hands on what its types exclude, it says so.
"""

import asyncio

from openai.types.chat import ChatCompletionMessageFunctionToolCall as Whole

from client import client, describe

# The absolute limit: well over the client's time-out, so whoever is still waiting was not stopped by it.
LIMIT = 5.0

# How long a connection rests between two requests, so that it is back among those to be used again.
IDLE = 0.2

QUESTION = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "Hello?"}]}


class Reply:
    """What has arrived so far."""

    def __init__(self, whole):
        self.whole = whole
        self.thinks = False
        self.text = ""
        self.role = None
        self.finish = None
        self.tools = {}
        self.oddities = []

    def odd(self, what):
        if what not in self.oddities:
            self.oddities.append(what)

    def choices(self, holder):
        """Returns the choices of a chunk or a reply, whatever they are."""
        if holder is None:
            self.odd("null")
        elif not isinstance(getattr(holder, "choices", None), list):
            self.odd("null choices")
        else:
            return holder.choices
        return []

    def take(self, choice, part):
        self.finish = choice.finish_reason if choice.finish_reason is not None else self.finish
        if part is None:
            return self.odd("a null delta")
        self.role = part.role or self.role
        self.thinks = self.thinks or bool(getattr(part, "reasoning_content", None))
        if isinstance(part.content, str):
            self.text += part.content
        elif part.content is not None:
            self.odd("content that is no text")
        for place, call in enumerate(part.tool_calls or []):
            self.tool(place, call)

    def tool(self, place, call):
        index = place if isinstance(call, Whole) else getattr(call, "index", None)
        if index is None:
            self.odd("a call without an index")
        so_far = self.tools.setdefault(index, {"name": "", "arguments": ""})
        so_far["name"] += (call.function and call.function.name) or ""
        so_far["arguments"] += (call.function and call.function.arguments) or ""

    def verdict(self):
        parts = [self.amount(), self.ending()]
        parts += [f"calls {tool['name']}({tool['arguments']})" for tool in self.tools.values()]
        parts += [] if self.role or not self.text else ["no role"]
        parts += [f"hands on {what}" for what in self.oddities]
        words = ", ".join(part for part in parts if part)
        return "ok" if words == "the whole text" else words

    def amount(self):
        if self.text == self.whole:
            return "the whole text"
        if not self.text.strip():
            return "blank text" if self.text else "no text"
        if self.whole.startswith(self.text):
            return "part of the text"
        return "the text and more" if contains(self.text, self.whole) else "another text"

    def ending(self):
        if self.finish == "stop":
            return None
        return "no finish" if self.finish is None else f"finish `{self.finish}`"

    def so_far(self):
        return " after text" if self.text else " after thinking" if self.thinks else ""


def contains(text, whole):
    """Says whether the characters of the whole text come in order in the text."""
    rest = iter(text)
    return all(character in rest for character in whole)


async def stream(openai, reply):
    async for chunk in await openai.chat.completions.create(**QUESTION, stream=True):
        for choice in reply.choices(chunk):
            reply.take(choice, choice.delta)
    return reply.verdict()


async def single(openai, reply):
    answer = await openai.chat.completions.create(**QUESTION)
    if isinstance(answer, str):
        return "returns a string"
    for choice in reply.choices(answer):
        reply.take(choice, choice.message)
    return reply.verdict()


def bounded(read):
    async def cell(task):
        reply = Reply(task["text"])
        try:
            headers = {"connection": "close"} if task["arguments"]["closing"] else {}
            openai = client(task, default_headers=headers)
            if task["arguments"]["twice"]:
                await read(openai, Reply(task["text"]))
                await asyncio.sleep(IDLE)
            return await asyncio.wait_for(read(openai, reply), LIMIT)
        except asyncio.TimeoutError:
            return "hangs" + reply.so_far()
        except Exception as error:
            return f"raises {describe(error)}" + reply.so_far()

    return cell


CALLS = {"stream": bounded(stream), "single": bounded(single)}
