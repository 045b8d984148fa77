"""Refusals: answers in which the model declines the task. A conservative detector of phrases."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vlmops.evaluators.bases import OutputEvaluator
from vlmops.evaluators.failure import Failure
from vlmops.evaluators.registry import register
from vlmops.evaluators.score import Direction, Score, SetScore
from vlmops.evaluators.structure.rate import rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vlmops.evaluators.case import Case

_READ_LENGTH = 300
"""A refusal stands at the beginning; the same words later on are part of an answer."""

_REQUEST = r"(?:with |to )?(?:that|this|your)\b"
_PERSON = r"(?:the |a |any |real |specific )*(?:people|persons?|individuals?|faces?|who|someone|anyone)\b"
_PHRASES: dict[str, tuple[str, ...]] = {
    "en": (
        r"\bi(?:'m| am)? (?:cannot|can't|can not|won't|will not|unable to|not able to|not allowed to)"
        r"(?: be able to)? (?:help (?:you|with)|help(?=\W*$)|assist|comply|engage|fulfill?\b|"
        rf"(?:do|share|continue|respond) {_REQUEST}|"
        rf"(?:provide|offer) (?:help|assistance|personal)|(?:identify|recogni[sz]e) {_PERSON})",
        r"\bi (?:must|have to|need to|will have to) (?:respectfully |politely )?decline\b",
        r"\b(?:against|violates?) my (?:content |usage |safety )?(?:polic(?:y|ies)|guidelines)\b",
    ),
    "de": (
        r"\b(?:ich kann|kann ich|ich darf|darf ich)\b[^.]{0,60}\b(?:nicht|keine)\b[^.]{0,40}"
        r"\b(?:helfen|weiterhelfen|unterstützen|nachkommen|erfüllen|identifizieren)\b",
    ),
    "fr": (
        r"\bje ne (?:peux|puis) (?:malheureusement )?pas (?:vous |t'|te )?"
        r"(?:aider|assister|répondre à (?:cette|votre)|accéder à|satisfaire|traiter (?:cette|votre)|"
        r"identifier (?:des|les|une?|cette) personnes?)",
    ),
    "es": (
        r"\bno puedo (?:ayudar(?:te|le|los?)?|asistir(?:te|le)?|cumplir|atender|procesar (?:esa|esta|tu|su)|"
        r"responder a (?:esa|esta)|identificar (?:a )?(?:las? )?personas?)\b",
    ),
    "it": (
        r"\bnon posso (?:aiutar(?:ti|la|vi)|assister(?:ti|la|vi)|soddisfare|rispondere a questa|"
        r"identificare (?:le |una )?person[ae])",
    ),
    "pt": (
        r"\bnão (?:posso|consigo) (?:te |o |a )?(?:ajudar|ajudá-l[oa]|auxiliar|atender|"
        r"responder a (?:essa|esta)|identificar (?:as )?pessoas?)",
    ),
    "nl": (r"\b(?:ik kan|kan ik)\b[^.]{0,40}\bniet (?:mee |bij |verder )?(?:helpen|assisteren|voldoen)\b",),
    "ru": (
        r"я не могу (?:вам |тебе )?"
        r"(?:помочь|выполнить (?:этот|ваш)|ответить на этот|опознать|идентифицировать)",
    ),
    "zh": (
        r"(?:抱歉|对不起|對不起)[^。]{0,12}(?:无法|無法|不能)[^。]{0,12}"
        r"(?:帮助|幫助|协助|協助|满足|滿足|回答|识别|識別|处理|處理)",
    ),
    "ja": (
        r"(?:申し訳|すみません|恐れ入りますが)[^。]{0,40}(?:お手伝い|お答え|対応|お応え|特定)[^。]{0,10}"
        r"(?:できません|いたしかねます|できかねます)",
    ),
    "ko": (
        r"죄송[^.]{0,40}(?:도와드릴|도움을 드릴|답변(?:을 )?(?:해 )?드릴|답변할|식별할)[^.]{0,6}수 없습니다",
    ),
}
_PATTERNS = {
    language: re.compile("|".join(f"(?:{phrase})" for phrase in phrases), re.IGNORECASE)
    for language, phrases in _PHRASES.items()
}


def refusal_phrase(text: str) -> str | None:
    """The words at the beginning of an answer that decline the task; ``None`` if it does not.

    Looks for the model's own first-person formulas in English, German, French, Spanish, Italian, Portuguese,
    Dutch, Russian, Chinese, Japanese and Korean, within the first 300 characters. It is conservative: what
    is merely about the picture ("I cannot read the blurred digit", "I can't see a person") is an answer, and
    an unusual refusal is missed rather than an answer taken for one.

    Example:
        >>> refusal_phrase("I'm sorry, but I can't help with that.")
        "I can't help with"
        >>> refusal_phrase("I cannot read the last digit; the total is 12.5?") is None
        True
    """
    beginning = text[:_READ_LENGTH].replace("’", "'")
    found = (pattern.search(beginning) for pattern in _PATTERNS.values())
    return next((match[0] for match in found if match), None)


@register("refusal")
@dataclass(frozen=True, kw_only=True)
class Refusal(OutputEvaluator):
    """Whether the model declined the task: 1 or 0, less is better. A set gives the refusal rate.

    Text only: an object or a list is an answer. See :func:`refusal_phrase` for what counts.

    Example:
        >>> from vlmops.evaluators import Case
        >>> Refusal().evaluate(Case(output="I'm unable to assist with this request.")).value
        1.0
    """

    default_name: ClassVar[str] = "refusal"
    direction: ClassVar[Direction] = "minimize"

    def judge(self, output: Any) -> Score:
        """Score one answer."""
        phrase = refusal_phrase(output) if isinstance(output, str) else None
        explanation = f"declined: {phrase!r}" if phrase else "no refusal found"
        return Score(self.name, float(phrase is not None), explanation, self.direction)

    def evaluate_set(self, cases: Sequence[Case]) -> SetScore | Failure:
        """The refusal rate over all cases that have an output."""
        outputs = self.read_set(cases, self.output_of)
        if isinstance(outputs, Failure):
            return outputs
        refused = [self.judge(output).value == 1 for output in outputs.values]
        explanation = f"{sum(refused)} of {outputs.n} answers decline"
        return rate(self.name, refused, outputs, explanation, self.direction)
