"""A small real model server of the Open Inference Protocol: FACTOR times the sum of each row.

    python model_server.py PORT FACTOR

`POST /control {"fail": true, "delay": 0.5}` makes it fail or slow and tells its state: `under_way`
is the number of requests that wait for their answer; with `second` there is an output of texts too.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import uvicorn

state: dict[str, Any] = {"fail": False, "delay": 0.0, "under_way": 0, "second": False}


async def app(scope: Any, receive: Any, send: Any) -> None:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    status = 200
    answer: dict[str, Any]
    if scope["path"] == "/control":
        state.update(json.loads(body))
        answer = dict(state)
    else:
        failing = state["fail"]
        state["under_way"] += 1
        await asyncio.sleep(state["delay"])
        state["under_way"] -= 1
        if failing:
            status, answer = 500, {"error": "this model is broken"}
        else:
            answer = _answer(json.loads(body))
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


def _answer(request: Any) -> Any:
    rows = request["inputs"][0]["shape"][0]
    numbers = [each["data"] for each in request["inputs"] if each["datatype"] != "BYTES"]
    sums = [sum(data[row] for data in numbers) for row in range(rows)]
    data = [float(sys.argv[2]) * each for each in sums]
    outputs = [{"name": "y", "shape": [rows], "datatype": "FP64", "data": data}]
    if state["second"]:
        texts = [str(each) for each in request["inputs"][0]["data"]]
        outputs.append({"name": "z", "shape": [rows], "datatype": "BYTES", "data": texts})
    return {"model_name": "served", "outputs": outputs}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", lifespan="off")
