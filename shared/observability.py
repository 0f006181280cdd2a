"""One logger and one set of metrics for every function.

Messages are constant lower-case phrases; what differs goes into fields. Ids and codes only: no
name, phone, e-mail, text, header or token is ever logged.
"""

from aws_lambda_powertools import Logger, Metrics

logger = Logger(service="leadline", utc=True, log_uncaught_exceptions=False)
metrics = Metrics(namespace="Leadline", service="leadline")
