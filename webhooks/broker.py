"""Celery, for portals with a broker: workers whose only task is to deliver what is due.

    celery -A webhooks.broker worker --beat --concurrency 2 --without-gossip --without-mingle

The broker carries nothing but nudges. The rows of deliveries are the queue, as for
`manage.py deliver`, so a nudge that is lost, late or doubled changes nothing, and a broker that was
away or emptied loses nothing: beat nudges every second.
"""

import os
import threading
from typing import Any

import django
from celery import Celery
from celery.app.amqp import AMQP
from celery.signals import worker_process_shutdown
from django.apps import apps
from django.conf import settings
from kombu import Connection

if not apps.ready:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()

# These need the loaded models.
from webhooks import nudges
from webhooks.worker import Worker

# For how long a task goes on while there is always more; then Celery may end the process.
SECONDS = 10.0
# Seconds between two nudges by beat, and after which one is dropped.
EVERY, EXPIRES = 1.0, 2.0


class QuickConnection(Connection):
    """A connection that is tried again every second; Celery would wait up to 30 seconds."""

    def ensure_connection(self, errback: Any = None, max_retries: Any = None, **kwargs: Any) -> Any:
        pauses = {"interval_start": 0.2, "interval_step": 0.2, "interval_max": 1.0}
        return super().ensure_connection(errback, max_retries, **{**kwargs, **pauses})


class QuickAMQP(AMQP):
    Connection = QuickConnection


class Broker(Celery):
    amqp_cls = QuickAMQP


# Without Celery's support of Django, which closes the connection to the database around each task.
app = Broker("webhooks", fixups=[])
app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={"max_retries": 1, "interval_start": 0, "interval_max": 0.5},
    task_default_queue="webhooks",
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
    beat_scheduler="celery.beat:Scheduler",
    beat_schedule={"look": {"task": "webhooks.drain", "schedule": EVERY}},
)

# The worker of each process or thread of Celery, which keeps its connections.
here = threading.local()


def deliver() -> None:
    """Deliver what is due."""
    if not hasattr(here, "worker"):
        here.worker = Worker()
    if here.worker.drain(SECONDS):
        nudges.wake()


drain = app.task(name="webhooks.drain", expires=EXPIRES)(deliver)


def leave(**kwargs: Any) -> None:
    if hasattr(here, "worker"):
        here.worker.leave()


worker_process_shutdown.connect(leave)
