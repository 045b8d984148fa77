from __future__ import annotations

import pytest

from vlmops.evaluators import Case, Refusal
from vlmops.evaluators.structure import refusal_phrase

REFUSALS = [
    "I'm sorry, but I can't assist with that request.",
    "I’m sorry, I can’t help with identifying people.",
    "Sorry, I am unable to identify the person in this photo.",
    "As an AI language model, I cannot comply with this request.",
    "I must respectfully decline.",
    "I won't help you with that.",
    "Es tut mir leid, aber dabei kann ich Ihnen nicht helfen.",
    "Je suis désolé, mais je ne peux pas vous aider.",
    "Lo siento, no puedo ayudarte con eso.",
    "Mi dispiace, non posso aiutarti.",
    "Desculpe, não posso ajudar com isso.",
    "Sorry, daar kan ik u niet mee helpen.",
    "К сожалению, я не могу помочь с этим.",
    "抱歉，我无法协助处理这个请求。",
    "申し訳ありませんが、そのご要望には対応できません。",
    "죄송하지만 도와드릴 수 없습니다.",
]
ANSWERS = [
    "",
    "12.50",
    "I cannot read the last digit, but the total is 12.5?",
    "I can't see a person in the picture.",
    "There is no invoice in the picture, so I can't tell the total.",
    "The sign says: smoking violates our policies.",
    "The letter reads: 'We regret that we cannot help you.'",
    "I can help with that: the total is 12.50.",
    "Ich kann keine Person erkennen.",
    "Je ne peux pas lire la date.",
    "无法看清数字，可能是12。",
    "The total is 12.50. " * 20 + "I can't help with that.",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_refusals_are_found(text):
    assert refusal_phrase(text)


@pytest.mark.parametrize("text", ANSWERS)
def test_answers_are_left_alone(text):
    assert refusal_phrase(text) is None


def test_the_evaluator_quotes_the_phrase():
    score = Refusal().evaluate(Case(output=REFUSALS[0]))
    assert score.value == 1.0
    assert "can't assist" in score.explanation
    assert score.direction == "minimize"


def test_objects_are_answers():
    assert Refusal().evaluate(Case(output={"note": REFUSALS[0]})).value == 0.0
    assert Refusal(key="note").evaluate(Case(output={"note": REFUSALS[0]})).value == 1.0


def test_the_rate_of_a_set():
    score = Refusal().evaluate_set([Case(output=REFUSALS[0]), Case(output="12"), Case(output=None)])
    assert (score.value, score.n, score.failures) == (0.5, 2, 1)


def test_hostile_text_takes_no_time():
    assert refusal_phrase("ich kann " * 100_000) is None
