"""What a run must keep to pass the gate: a typed table, the same in ``vlmops.toml`` and in Python."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - read at run time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from vlmops.errors import UsageError
from vlmops.experiments.selector import ExperimentSelector

Tolerance = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Bound = Annotated[float, Field(allow_inf_nan=False)]
LatencyPart = Literal["mean", "p50", "p90", "p95", "p99"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MetricRule(_Table):
    """What one metric must keep.

    Attributes:
        min: Least value allowed.
        max: Greatest value allowed.
        max_drop: By how much it may be **worse** than the baseline's, in the metric's own units and whichever
            way is better: 0.02 lets an accuracy fall, and an error rate rise, by 0.02.

    Example:
        >>> MetricRule(min=0.9, max_drop=0.02).max_drop
        0.02
    """

    min: Bound | None = None
    max: Bound | None = None
    max_drop: Tolerance | None = None

    @model_validator(mode="after")
    def _says_something(self) -> MetricRule:
        if self.min is None and self.max is None and self.max_drop is None:
            raise ValueError("give min, max or max_drop")
        return self

    @model_validator(mode="after")
    def _can_be_kept(self) -> MetricRule:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"no value is at least {self.min:g} (min) and at most {self.max:g} (max)")
        return self


class SlicedMetricRule(MetricRule):
    """What one metric must keep over all samples, and in slices named by themselves.

    Attributes:
        slices: Rules for single slices by name (``"difficulty=hard"``), in the place of the general one.

    Example:
        >>> rule = SlicedMetricRule(min=0.9, slices={"light=dim": {"min": 0.7}})
        >>> rule.slices["light=dim"].min
        0.7
    """

    slices: Mapping[str, MetricRule] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_something(self) -> SlicedMetricRule:
        if not self.slices and self.min is None and self.max is None and self.max_drop is None:
            raise ValueError("give min, max, max_drop or slices")
        return self


class LimitRule(_Table):
    """What a quantity of which less is better must keep.

    Attributes:
        max: Greatest value allowed.
        max_increase: By how much it may be above the baseline's.

    Example:
        >>> LimitRule(max=3.0).max
        3.0
    """

    max: Tolerance | None = None
    max_increase: Tolerance | None = None

    @model_validator(mode="after")
    def _says_something(self) -> LimitRule:
        if self.max is None and self.max_increase is None:
            raise ValueError("give max or max_increase")
        return self


class GateRules(_Table):
    """Everything a gate looks at; unknown keys are errors.

    ::

        [gate]
        baseline = "branch:main"
        slices = ["difficulty"]
        error_rate = { max = 0.05 }
        latency.p95 = { max = 3.0, max_increase = 0.5 }

        [gate.metrics.cer]
        max = 0.10
        max_drop = 0.02

    Attributes:
        metrics: Rules by name of the metric.
        error_rate: Share of answers that failed.
        latency: Seconds an answer takes, by ``"mean"``, ``"p50"``, ``"p90"``, ``"p95"`` or ``"p99"``.
        cost: US dollars an answer costs, on average.
        tokens: Tokens an answer takes, in and out, on average.
        baseline: Which experiment the regression rules compare with: an id, or ``"branch:main"`` (the newest
            recorded on that git branch), ``"tag:..."``, ``"name:..."``, ``"commit:..."``.
        slices: Metadata keys; every ``max_drop`` holds in each slice as well as over all.
        confidence: Level of the two-sided intervals whose bounds are looked at.
        unclear: What becomes of a regression rule that the sample can neither show to be kept nor to be
            broken: ``"pass"`` lets it pass with a warning, ``"fail"`` demands that it be shown to be kept.
        thresholds: Whether ``min`` and ``max`` look at the ``"value"``, or at the worse ``"bound"`` of its
            interval.
        max_unscored: Share of answers that may lack a metric's score (failed answers among them) before its
            rule is an error.

    Example:
        >>> rules = GateRules(metrics={"accuracy": {"min": 0.9, "max_drop": 0.02}}, baseline="branch:main")
        >>> rules.metrics["accuracy"].min, rules.unclear, rules.compares
        (0.9, 'pass', True)
    """

    metrics: Mapping[str, SlicedMetricRule] = Field(default_factory=dict)
    error_rate: LimitRule | None = None
    latency: Mapping[LatencyPart, LimitRule] = Field(default_factory=dict)
    cost: LimitRule | None = None
    tokens: LimitRule | None = None
    baseline: str | None = None
    slices: tuple[str, ...] = ()
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    unclear: Literal["pass", "fail"] = "pass"
    thresholds: Literal["value", "bound"] = "value"
    max_unscored: Annotated[float, Field(ge=0, le=1)] = 0.1

    @field_validator("error_rate")
    @classmethod
    def _is_a_share(cls, rule: LimitRule | None) -> LimitRule | None:
        if rule is not None and max(rule.max or 0, rule.max_increase or 0) > 1:
            raise ValueError("an error rate is a share: write 0.05 for 5 %")
        return rule

    @field_validator("baseline")
    @classmethod
    def _known_selector(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                ExperimentSelector.parse(text)
            except UsageError as error:
                raise ValueError(str(error)) from error
        return text

    @model_validator(mode="after")
    def _has_a_rule(self) -> GateRules:
        if not (self.metrics or self.latency or self.error_rate or self.cost or self.tokens):
            raise ValueError(
                "the gate has no rule and would let everything pass: "
                "add metrics, error_rate, latency, cost or tokens"
            )
        return self

    @property
    def compares(self) -> bool:
        """Whether any rule needs a baseline."""
        limits = [self.error_rate, self.cost, self.tokens, *self.latency.values()]
        if any(limit is not None and limit.max_increase is not None for limit in limits):
            return True
        rules = [each for rule in self.metrics.values() for each in (rule, *rule.slices.values())]
        return any(rule.max_drop is not None for rule in rules)
