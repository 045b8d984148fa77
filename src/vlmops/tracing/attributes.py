"""The names of the facts that vlmops adds to spans, and what they mean.

All are flat scalars, so that both platforms can filter and sort by them. In Phoenix they are attributes
(``attributes['vlmops']['image']['count'] > 1``); in Langfuse they are keys of the observation's metadata
(``vlmops.image.count``). What is not known is left out.
"""

from __future__ import annotations

IMAGE_COUNT = "vlmops.image.count"
IMAGE_INPUT_COUNT = "vlmops.image.input_count"
IMAGE_OUTPUT_COUNT = "vlmops.image.output_count"
IMAGE_NOT_KEPT_COUNT = "vlmops.image.not_kept_count"
IMAGE_BYTES = "vlmops.image.bytes"
IMAGE_TOKENS = "vlmops.image.estimated_tokens"
IMAGE_COST = "vlmops.image.estimated_cost"
IMAGE_SHARE = "vlmops.image.share_of_prompt"
IMAGE_WARNINGS = "vlmops.image.warnings"
IMAGE_RULE = "vlmops.image.token_rule"

TOKENS_MEASURED = "vlmops.tokens.measured"
TOKENS_ESTIMATED = "vlmops.tokens.estimated"
TOKENS_DRIFT = "vlmops.tokens.drift"
TOKENS_DRIFT_RATIO = "vlmops.tokens.drift_ratio"

RESPONSE_FORMAT = "vlmops.response.format"
RESPONSE_SCHEMA = "vlmops.response.schema_name"
RESPONSE_VALID = "vlmops.response.valid"
RESPONSE_ERROR = "vlmops.response.error"
RESPONSE_REFUSED = "vlmops.response.refused"
RESPONSE_REFUSAL = "vlmops.response.refusal"
RESPONSE_TRUNCATED = "vlmops.response.truncated"

PROMPT_NAME = "vlmops.prompt.name"
PROMPT_VERSION = "vlmops.prompt.version"
DATASET_ITEM = "vlmops.dataset.item"
RELEASE = "vlmops.release"
COMMIT = "vlmops.commit"
ENVIRONMENT = "vlmops.environment"

IMAGES = "vlmops.images"
"""Facts of one picture are named ``vlmops.images.0.width``; sent ones come first."""

MAX_IMAGES = 12
"""Pictures of a span whose own facts are recorded; sums and counts are of all."""

MEANINGS = {
    IMAGE_COUNT: "distinct pictures in the span",
    IMAGE_INPUT_COUNT: "distinct pictures sent",
    IMAGE_OUTPUT_COUNT: "distinct pictures answered",
    IMAGE_NOT_KEPT_COUNT: "pictures that nothing can be seen of, whether by policy or by an error",
    IMAGE_BYTES: "bytes of all pictures as they were sent",
    IMAGE_TOKENS: "tokens that the pictures sent should count for, by the model's card",
    IMAGE_COST: "US dollars that these tokens cost, by the model's card",
    IMAGE_SHARE: "estimated image tokens over measured prompt tokens; above 1 where the estimate is off",
    IMAGE_RULE: "rule and date of the estimate",
    IMAGE_WARNINGS: "what may explain a poor answer, for all pictures: `near-blank, too small`",
    TOKENS_MEASURED: "prompt tokens that the provider measured",
    TOKENS_ESTIMATED: "estimated image tokens plus a quarter of the characters of the text",
    TOKENS_DRIFT: "measured minus estimated prompt tokens; above 0 when more was counted than expected",
    TOKENS_DRIFT_RATIO: "drift over estimated tokens",
    RESPONSE_FORMAT: "form of the answer that was asked for: `json_schema`, `json_object` or `text`",
    RESPONSE_SCHEMA: "name of the schema that was asked for",
    RESPONSE_VALID: "whether the answer obeys the schema (or is JSON at all); absent after a refusal",
    RESPONSE_ERROR: "where and how it breaks the schema, without the values at fault",
    RESPONSE_REFUSED: "whether the model declined, by the provider's word or by its first sentence",
    RESPONSE_REFUSAL: "how it is known: `provider`, `content_filter` or `phrase`",
    RESPONSE_TRUNCATED: "whether the answer was cut off at the token limit",
    PROMPT_NAME: "name of the prompt",
    PROMPT_VERSION: "version of the prompt",
    DATASET_ITEM: "dataset item that is answered",
    RELEASE: "version of the application",
    COMMIT: "git commit of the application",
    ENVIRONMENT: "production, staging, ...",
}
"""What each name means."""

IMAGE_MEANINGS = {
    "role": "`input` or `output`",
    "width": "in pixels, upright, as sent",
    "height": "in pixels, upright, as sent",
    "bytes": "as sent",
    "media_type": "found in its bytes",
    "sha256": "of its bytes as sent",
    "orientation": "EXIF orientation, 1 is upright",
    "detail": "detail that the model used or was asked for",
    "seen_width": "in pixels, as the model saw it",
    "seen_height": "in pixels, as the model saw it",
    "scale": "seen width over width sent, 1 when not shrunk",
    "estimated_tokens": "by the model's card",
    "kept": "`full`, `blurred`, `thumbnail`, `hash`, `url` or `none`",
    "reason": "why it is not kept as it was",
    "warnings": "what may explain a poor answer",
    "reference": "where it is kept",
}
"""What the last part of ``vlmops.images.<n>.<fact>`` means."""


def of_image(index: int, fact: str) -> str:
    """The name of a fact of one picture.

    Example:
        >>> of_image(0, "width")
        'vlmops.images.0.width'
    """
    return f"{IMAGES}.{index}.{fact}"
