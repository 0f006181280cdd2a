"""Chalice."""

from chalice import Chalice, Response
from pydantic import ValidationError

from tests.load.subjects.peer import Answers, store

app = Chalice(app_name="capture")


@app.route("/v1/forms/{form_id}/submissions", methods=["POST"])
def submit(form_id: str) -> Response:
    request = app.current_request
    try:
        answers = Answers.model_validate_json(request.raw_body)
    except ValidationError as error:
        return Response(error.errors(include_url=False), status_code=422)
    submission_id = store(form_id, request.headers["idempotency-key"], answers)
    return Response({"id": submission_id}, status_code=201)


handler = app
