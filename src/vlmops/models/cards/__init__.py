"""Model cards: how models count, take and charge for pictures; dated data that your own file may correct."""

from vlmops.models.cards.card import DetailRule, ImageTokens, LongPrice, ModelCard, Price
from vlmops.models.cards.counted import Counted, ImageRule
from vlmops.models.cards.expectation import DEFAULT_OUTPUT_TOKENS, CardEstimator, text_tokens
from vlmops.models.cards.rules import RULES
from vlmops.models.cards.table import CardTable, card_of

__all__ = [
    "DEFAULT_OUTPUT_TOKENS",
    "RULES",
    "CardEstimator",
    "CardTable",
    "Counted",
    "DetailRule",
    "ImageRule",
    "ImageTokens",
    "LongPrice",
    "ModelCard",
    "Price",
    "card_of",
    "text_tokens",
]
