"""How the tests make clients, and how they name what these raise."""

import os
import ssl

import openai

# The limit that users set, as in the table: it bounds each read, not the whole.
TIMEOUT = 2.0

# Reading the certificates of the system takes longer than most calls, so it is done once.
TLS = ssl.create_default_context()
TLS.load_verify_locations(os.environ["SDK_CERTIFICATE"])


def client(task, path="", key="sk-test-of-the-sdks", retries=0, timeout=TIMEOUT, **settings):
    """Makes a client of its own for a task, so that no task meets the connections of another."""
    http = openai.DefaultAsyncHttpxClient(verify=TLS, timeout=timeout, trust_env=False)
    return openai.AsyncOpenAI(
        base_url=task["url"] + path, api_key=key, timeout=timeout, max_retries=retries, http_client=http, **settings
    )


def describe(error):
    """Names an error as users see it in a traceback: the public module and the class."""
    kind = type(error)
    module = kind.__module__.split(".")[0]
    return kind.__name__ if module in ("builtins", "asyncio") else f"{module}.{kind.__name__}"
