"""What is sent stays on this machine, and comes from another client each time: none is told to wait for its mistakes."""

import itertools

import requests
import schemathesis

NOWHERE = "127.0.0.1:1"

addresses = (f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in itertools.count(1))
send = requests.Session.send


def send_as_another(session, request, **kwargs):
    request.headers["X-Forwarded-For"] = next(addresses)
    return send(session, request, **kwargs)


requests.Session.send = send_as_another


@schemathesis.hook
def before_call(context, case, kwargs):
    if not isinstance(case.body, dict):
        return
    for name in ("address", "mailbox", "grpc_address"):
        if isinstance(case.body.get(name), str) and ":" in case.body[name]:
            case.body[name] = NOWHERE
