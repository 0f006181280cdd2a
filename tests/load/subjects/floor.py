"""The floor: the AWS SDK, one item written, and nothing else done."""

import os
from typing import Any

import boto3

dynamodb = boto3.client("dynamodb")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    dynamodb.put_item(
        TableName=os.environ["TABLE_NAME"],
        Item={
            "PK": {"S": f"SUBMISSION#{context.aws_request_id}"},
            "SK": {"S": "SUBMISSION"},
            "body": {"S": event["body"]},
        },
    )
    return {"statusCode": 201, "headers": {}, "body": ""}
