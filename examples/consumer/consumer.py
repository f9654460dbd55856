"""Copies every event of Sekisho into a table of its own, each exactly once, however often it is killed.

    pip install -r requirements.txt
    NATS_URL=nats://user:password@127.0.0.1:4222 python consumer.py events.sqlite

What makes it exactly-once: the event's effect and the position that it has are committed in one transaction, and on each start it asks the
stream for what comes after that position. NATS need not remember anything, so nothing is acknowledged. See docs/consumers.md.
"""

import argparse
import asyncio
import json
import os
import sqlite3
import sys

import nats
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

BATCH_MESSAGES_MAX = 200
QUIET_SECONDS = 2
PAUSE_SECONDS = 0.2


class Broken(Exception):
    """Going on would make the copy wrong. A person has to look."""


class Copy:
    """The table, and how far it is."""

    def __init__(self, file):
        self.database = sqlite3.connect(file, isolation_level=None)
        self.database.executescript(
            """
            pragma journal_mode = wal;
            pragma synchronous = full;
            create table if not exists events (
                position integer primary key, aggregate text, id text, sequence integer, type text, version integer, payload text);
            create table if not exists place (one integer primary key check (one = 1), position integer not null, log text);
            insert or ignore into place values (1, 0, null);
            """
        )
        self.position, self.log = self.database.execute("select position, log from place").fetchone()

    def belong_to(self, log):
        """A stream that was filled from another log has other events at the same positions."""
        if self.log not in (None, log):
            raise Broken(f"this copy is of log {self.log}, and the stream holds log {log}")
        self.database.execute("update place set log = ?", (log,))
        self.log = log

    def take(self, envelopes):
        """All of them or none, together with the position: a process that dies in here has done nothing."""
        self.database.execute("begin immediate")
        try:
            for event in envelopes:
                row = [event[name] for name in ("position", "aggregate", "id", "sequence", "type", "version")]
                payload = json.dumps(event["payload"], sort_keys=True)
                self.database.execute("insert into events values (?, ?, ?, ?, ?, ?, ?)", (*row, payload))
            self.database.execute("update place set position = ?", (envelopes[-1]["position"],))
            self.database.execute("commit")
        except BaseException:
            self.database.execute("rollback")
            raise
        self.position = envelopes[-1]["position"]


def opened(message, prefix):
    """The envelope, checked against everything else that says which event it is."""
    event = json.loads(message.data)
    organization = event["metadata"].get("organization", "_")
    subject = f"{prefix}.{event['aggregate']}.{organization}.{event['id']}.{event['type']}"
    sequence = message.metadata.sequence.stream
    if message.subject != subject or event["position"] != sequence or message.headers["Nats-Msg-Id"] != str(sequence):
        raise Broken(f"message {sequence} on {message.subject} is not what it says: position {event['position']}")
    return event


def next_in_order(events, position):
    """What comes next without a hole. What is there already (a stream that was lost is filled again from the first event on) is left out."""
    found = []
    for event in events:
        if event["position"] == position + 1:
            found.append(event)
            position += 1
        elif event["position"] > position + 1:
            break
    return found


async def follow(stream, prefix, context, copy):
    """Copies until something is odd; whoever calls begins again at the copy's own position."""
    state = await context.stream_info(stream)
    copy.belong_to((state.config.metadata or {}).get("sekisho.log"))
    if state.state.messages and state.state.first_seq > copy.position + 1:
        raise Broken(f"the stream begins at {state.state.first_seq}; read what is before it from GET /v1/events")
    config = ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=copy.position + 1,
        ack_policy=AckPolicy.NONE,
        inactive_threshold=60,
    )
    subscription = await context.pull_subscribe(f"{prefix}.>", stream=stream, config=config)
    while True:
        try:
            messages = await subscription.fetch(BATCH_MESSAGES_MAX, timeout=QUIET_SECONDS)
        except asyncio.TimeoutError:
            await subscription.consumer_info()  # an error when it is gone, as after the loss of the stream
            continue
        events = [opened(message, prefix) for message in messages]
        found = next_in_order(events, copy.position)
        if found:
            copy.take(found)
        if events[-1]["position"] > copy.position:
            await subscription.unsubscribe()
            return  # a hole: ask again from where we are


async def run(arguments):
    copy = Copy(arguments.file)
    client = await nats.connect(
        arguments.url, inbox_prefix=arguments.inbox_prefix, max_reconnect_attempts=-1, error_cb=tell
    )
    print(f"copying after position {copy.position}", file=sys.stderr, flush=True)
    while True:
        try:
            await follow(arguments.stream, arguments.prefix, client.jetstream(), copy)
        except (NatsError, asyncio.TimeoutError, OSError) as error:
            print(f"NATS: {error!r}; going on at {copy.position}", file=sys.stderr, flush=True)
        await asyncio.sleep(PAUSE_SECONDS)


async def tell(error):
    """The client reconnects by itself, and what was asked meanwhile fails and is asked again."""
    print(f"NATS: {error!r}", file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="the SQLite database to copy into")
    parser.add_argument("--url", default=os.environ.get("NATS_URL", "nats://127.0.0.1:4222"))
    parser.add_argument("--stream", default="EVENTS")
    parser.add_argument("--prefix", default="events")
    parser.add_argument("--inbox-prefix", default=os.environ.get("NATS_INBOX_PREFIX", "_INBOX"), help="where answers of NATS come to")
    try:
        asyncio.run(run(parser.parse_args()))
    except Broken as broken:
        sys.exit(f"broken: {broken}")


if __name__ == "__main__":
    main()
