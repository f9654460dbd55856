"""What the configuration of schemathesis cannot say."""

import json

import schemathesis

# The world of the run has written more than this before it begins.
REACHED = 2


@schemathesis.hook
def map_query(context, query):
    """A position that the log has not reached is waited for: two seconds, then 503, as documented. What is no position stays as it is."""
    if isinstance(query, dict) and str(query.get("at_least")).isdecimal():
        query["at_least"] = min(int(query["at_least"]), REACHED)
    return query


@schemathesis.deserializer("application/x-ndjson")
def first_line(context, response):
    """Where an answer is a line after the other, the document describes a line."""
    return json.loads(response.content.split(b"\n", 1)[0])
