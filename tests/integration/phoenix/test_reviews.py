"""Reviews in Phoenix: what a reviewer filters by and is offered, and what is read of it."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from phoenix_process import Phoenix

from vlmops import Experiment, ImageDataset, Sample, connect, function_task, push
from vlmops.blocking import blocking
from vlmops.errors import UsageError
from vlmops.judges import human_labels
from vlmops.platforms import ExperimentRecord, Question, ReviewQueue
from vlmops.reviews import RandomShare, choose, collect_reviews, send_for_review
from vlmops.testing import picture

pytestmark = pytest.mark.integration

QUEUE = ReviewQueue(
    "to check",
    (
        Question("review.right"),
        Question("review.clear", "scale", "How clear?", range=(1.0, 5.0)),
        Question("review.damage", "label", labels=("none", "dent")),
    ),
)
SPANS = """
query($project: ID!, $filter: String!) {
  node(id: $project) { ... on Project { spans(first: 50, filterCondition: $filter) {
    edges { node { spanId trace { traceId } } } } } }
}
"""


class People:
    """What people do on a Phoenix, by its own interfaces."""

    def __init__(self, url: str, record: ExperimentRecord) -> None:
        self.http = httpx.Client(base_url=url, timeout=60)
        experiment = self.http.get(f"/v1/experiments/{record.id}").json()["data"]
        self.project = experiment["project_name"]
        self.project_id = self.http.get(f"/v1/projects/{self.project}").json()["data"]["id"]

    def filtered(self, condition: str) -> dict[str, str]:
        """Spans by trace, of those that the list shows under a filter."""
        variables = {"project": self.project_id, "filter": condition}
        answer = self.http.post("/graphql", json={"query": SPANS, "variables": variables}).json()
        assert "errors" not in answer, answer
        nodes = [edge["node"] for edge in answer["data"]["node"]["spans"]["edges"]]
        return {node["trace"]["traceId"]: node["spanId"] for node in nodes}

    def annotate(self, span: str, name: str, identifier: str = "", **result: Any) -> None:
        annotation = {"span_id": span, "name": name, "annotator_kind": "HUMAN", "identifier": identifier}
        body = {"data": [{**annotation, "result": result}]}
        self.http.post("/v1/span_annotations", json=body, params={"sync": "true"}).raise_for_status()


@pytest.fixture(scope="module")
def platform(phoenix_server: Phoenix) -> Any:
    return connect("phoenix", url=phoenix_server.url, media_store=phoenix_server.media_store)


@pytest.fixture
def record(platform: Any) -> ExperimentRecord:
    name = f"reviewed-{uuid.uuid4().hex[:8]}"
    samples = [Sample(str(number), {"image": picture(number)}) for number in range(4)]
    assert push(ImageDataset.from_samples(name, samples), platform).ok
    return Experiment(name, "said", function_task(lambda sample: f"text {sample.id}")).run(platform).record


@pytest.fixture
def people(phoenix_server: Phoenix, record: ExperimentRecord) -> Any:
    found = People(phoenix_server.url, record)
    yield found
    found.http.close()


def test_what_waits_is_found_by_the_filter_until_it_is_answered(
    platform: Any, record: ExperimentRecord, people: People
) -> None:
    report = send_for_review(platform, QUEUE, choose(record.runs, [RandomShare(1.0)], limit=3))
    page, _, query = report.url.partition("?")
    assert page.endswith(f"/projects/{people.project_id}/spans")
    assert parse_qs(query) == {"spanFilterCondition": [report.filter]}
    waiting = people.filtered(report.filter)
    assert len(waiting) == len(people.filtered("annotations['review'].label == 'requested'")) == 3
    trace, span = next(iter(waiting.items()))
    people.annotate(span, "review.right", label="fail", score=0.0, explanation="it is torn")
    people.annotate(span, "review.clear", score=4)
    assert len(people.filtered(report.filter)) == 3
    assert collect_reviews(platform, record, "to check", question="review.right").open == 3
    people.annotate(span, "review.damage", label="dent")
    assert trace not in people.filtered(report.filter)
    by_question = {
        name: collect_reviews(platform, record, "to check", question=name)
        for name in ("review.right", "review.clear", "review.damage")
    }
    assert {name: found.open for name, found in by_question.items()} == dict.fromkeys(by_question, 2)
    labels = {name: found.labels[0].label for name, found in by_question.items()}
    assert labels == {"review.right": False, "review.clear": 4.0, "review.damage": "dent"}
    assert by_question["review.right"].labels[0].comment == "it is torn"


def test_what_people_said_is_found_without_naming_the_experiments_project(
    platform: Any, record: ExperimentRecord, people: People
) -> None:
    report = send_for_review(platform, QUEUE, choose(record.runs, [RandomShare(1.0)], limit=1))
    ((trace, span),) = people.filtered(report.filter).items()
    people.annotate(span, "review.clear", score=4)
    found = blocking(lambda: human_labels(platform, record, "review.clear"), platform)
    assert found == {run.case.id: 4.0 for run in record.runs if run.trace_id == trace}


def test_two_people_who_differ(platform: Any, record: ExperimentRecord, people: People) -> None:
    queue = ReviewQueue("alone", QUEUE.questions[:1])
    report = send_for_review(platform, queue, choose(record.runs, [RandomShare(1.0)], limit=1))
    (span,) = people.filtered(report.filter).values()
    people.annotate(span, "review.right", "ann", label="pass", score=1.0)
    people.annotate(span, "review.right", "bob", label="fail", score=0.0)
    found = collect_reviews(platform, record, "alone")
    assert (found.open, found.labels, len(found.disputed)) == (0, [], 1)


def test_people_are_offered_the_questions_in_the_project(
    platform: Any, record: ExperimentRecord, people: People
) -> None:
    send_for_review(platform, QUEUE, choose(record.runs, [RandomShare(1.0)], limit=1))
    offered = people.http.get(f"/v1/projects/{people.project}/annotation_configs").json()["data"]
    assert {config["name"]: config["type"] for config in offered} == {
        "review.right": "CATEGORICAL",
        "review.clear": "CONTINUOUS",
        "review.damage": "CATEGORICAL",
    }


def test_a_config_that_means_something_else_is_told(platform: Any, record: ExperimentRecord) -> None:
    send_for_review(platform, QUEUE, choose(record.runs, [RandomShare(1.0)], limit=1))
    other = ReviewQueue("other", (Question("review.clear", "scale", range=(0.0, 10.0)),))
    with pytest.raises(UsageError, match=r"'review\.clear' in Phoenix is CONTINUOUS from 1 to 5, not"):
        send_for_review(platform, other, choose(record.runs, [RandomShare(1.0)], limit=1))
