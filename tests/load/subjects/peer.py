"""What both frameworks are given to do: the same fields, validated; one conditional write.

Less than capture does: no policy, no verdict, no channel, no guard against a second lead of the
same contact, no event, no log line, no metric.
"""

import os
from datetime import UTC, datetime
from typing import Annotated, Literal

import boto3
import phonenumbers
from pydantic import AfterValidator, BaseModel, EmailStr, Field

dynamodb = boto3.client("dynamodb")


def _e164(text: str) -> str:
    number = phonenumbers.parse(text, "GB")
    if not phonenumbers.is_valid_number(number):
        raise ValueError("no phone number")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


class Attribution(BaseModel):
    page_url: str = ""
    referrer: str = ""


class Answers(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    phone: Annotated[str, AfterValidator(_e164)]
    email: EmailStr | None = None
    company: Annotated[str, Field(max_length=200)] = ""
    message: Annotated[str, Field(max_length=5000)] = ""
    consent: Literal[True]
    attribution: Attribution = Attribution()


def store(form_id: str, key: str, answers: Answers) -> str:
    """Writes one item, once per idempotency key, and returns its id."""
    dynamodb.put_item(
        TableName=os.environ["TABLE_NAME"],
        Item={
            "PK": {"S": f"SUBMISSION#{form_id}#{key}"},
            "SK": {"S": "SUBMISSION"},
            "received_at": {"S": datetime.now(UTC).isoformat()},
            "name": {"S": answers.name},
            "phone": {"S": answers.phone},
            "email": {"S": answers.email or ""},
            "company": {"S": answers.company},
            "message": {"S": answers.message},
            "consent": {"BOOL": answers.consent},
            "page_url": {"S": answers.attribution.page_url},
            "referrer": {"S": answers.attribution.referrer},
        },
        ConditionExpression="attribute_not_exists(PK)",
    )
    return key
