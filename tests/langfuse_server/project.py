"""The one project a test server holds, with everything stored in it."""

from __future__ import annotations

import secrets
import string
import uuid

from .annotation_queues import QueueStore
from .bucket import Bucket
from .clock import Clock
from .comments import CommentStore
from .dataset_items import ItemStore
from .datasets import DatasetStore
from .evaluators import EvaluatorStore
from .media import MediaStore
from .observations import ObservationStore
from .prompts import PromptStore
from .score_configs import ScoreConfigStore
from .scores import ScoreStore

_FIRST_WITH_SCORE_LISTS = (4, 59, 0)


class Project:
    """State of the server: stores, clock, and the switches by which server versions differ.

    `delay_ms` is how long a score or span stays invisible to reads.
    """

    def __init__(
        self,
        *,
        version: str,
        public_key: str,
        secret_key: str,
        events_only: bool,
        takes_score_lists: bool | None,
        delay_ms: int,
        url_lifetime_seconds: int,
    ) -> None:
        self.id = "proj-test"
        self.version = version
        self.public_key = public_key
        self.secret_key = secret_key
        self.events_only = events_only
        self.delay_ms = delay_ms
        numbers = tuple(int(part) for part in version.split("."))
        self.honours_score_timestamps = numbers >= _FIRST_WITH_SCORE_LISTS
        if takes_score_lists is None:
            takes_score_lists = numbers >= _FIRST_WITH_SCORE_LISTS
        self.takes_score_lists = takes_score_lists
        self.clock = Clock()
        self.bucket = Bucket(self.clock, lifetime_seconds=url_lifetime_seconds)
        self.datasets = DatasetStore()
        self.items = ItemStore(self)
        self.media = MediaStore(self)
        self.observations = ObservationStore(self)
        self.scores = ScoreStore(self)
        self.score_configs = ScoreConfigStore(self)
        self.prompts = PromptStore(self)
        self.evaluators = EvaluatorStore(self)
        self.comments = CommentStore()
        self.queues = QueueStore()

    def new_uuid(self) -> str:
        """An id of items, scores, prompts, configs and comments."""
        return str(uuid.uuid4())

    def new_cuid(self) -> str:
        """An id of datasets, queues and their items: 25 characters."""
        return "c" + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(24))
