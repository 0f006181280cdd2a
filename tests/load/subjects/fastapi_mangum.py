"""FastAPI behind Mangum."""

from typing import Annotated

from fastapi import FastAPI, Header
from mangum import Mangum

from tests.load.subjects.peer import Answers, store

app = FastAPI(openapi_url=None)


# `async`, though boto3 blocks: a container serves one request at a time, and the thread pool that
# FastAPI uses otherwise would only cost.
@app.post("/v1/forms/{form_id}/submissions", status_code=201)
async def submit(
    form_id: str, answers: Answers, idempotency_key: Annotated[str, Header()]
) -> dict[str, str]:
    return {"id": store(form_id, idempotency_key, answers)}


handler = Mangum(app, lifespan="off")
