"""``vlmops run``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from vlmops.cli.exit_codes import ExitCode
from vlmops.cli.next_commands import next_commands
from vlmops.cli.options import UrlOption, parsed_evaluator
from vlmops.cli.output import JsonOption, console, measured, print_json
from vlmops.cli.run_report import has_failures, print_run, run_json

if TYPE_CHECKING:
    from vlmops.experiments import Specification
    from vlmops.experiments.specification.running import VariantProgress

_FLAGS_ALONE = "belongs to a run without a specification; write it into the file"


def run_command(
    dataset: str | None = typer.Argument(None, help="Name of a dataset on the platform; else from the file."),
    model: list[str] = typer.Option(
        [], "--model", "-m", help="Model by name (rapidocr, openai:gpt-4.1-mini, ...); each is a variant."
    ),
    evaluator: list[str] = typer.Option(
        [],
        "--evaluator",
        "-e",
        help="Evaluator by name, with parameters as JSON after '=': -e cer -e 'anls={\"key\": \"text\"}'.",
    ),
    prompt: str | None = typer.Option(None, "--prompt", help="Question; {field} is the sample's input."),
    spec: Path | None = typer.Option(
        None, "--spec", help="Specification to run; vlmops.toml when neither it nor a dataset is given."
    ),
    variant: list[str] = typer.Option([], "--variant", help="Run this variant of the file; repeatable."),
    on: list[str] = typer.Option(
        [], "--on", help="Platform (phoenix, langfuse, folder:PATH); repeatable. phoenix, or the file's."
    ),
    url: str | None = UrlOption,
    name: str | None = typer.Option(None, "--name", help="Name of the experiment; the model's otherwise."),
    key: str = typer.Option("", "--key", help="Same key, same experiment: continue it where it stopped."),
    tag: list[str] = typer.Option(
        [], "--tag", help="Word to find the run by later (tag:release-1), beside the file's; repeatable."
    ),
    version: str | None = typer.Option(
        None, "--version", help="Version of the dataset; the newest otherwise."
    ),
    repetitions: int | None = typer.Option(None, "--repetitions", min=1, help="Answers to each sample."),
    concurrency: int | None = typer.Option(None, "--concurrency", min=1, help="Requests under way at once."),
    timeout: float | None = typer.Option(
        None, "--timeout", min=0.1, help="Seconds for one answer, with all of its tries."
    ),
    budget: float | None = typer.Option(None, "--budget", min=0, help="US dollars to spend at most."),
    budget_tokens: int | None = typer.Option(None, "--budget-tokens", min=0, help="Tokens to take at most."),
    fresh: bool = typer.Option(False, "--fresh", help="Ask anew what earlier runs have asked."),
    no_cache: bool = typer.Option(False, "--no-cache", help="Neither use nor keep answers for other runs."),
    by: list[str] = typer.Option([], "--slice", help="Metadata key to give the figures for by its values."),
    no_gate: bool = typer.Option(
        False, "--no-gate", help="Leave the file's gate out: the run that later ones are compared with."
    ),
    as_json: bool = JsonOption,
) -> None:
    """Run models on a dataset and score the answers; run again to continue an interrupted run."""
    changes: dict[str, Any] = {
        "on": [{"name": each, **({"url": url} if url else {})} for each in on],
        "key": key,
        "repetitions": repetitions,
        "budget": _budget(budget, budget_tokens),
        "slices": by,
        "cache": "fresh" if fresh else "off" if no_cache else None,
    }
    given = {field: value for field, value in changes.items() if value}
    if dataset is None:
        alone = {"--model": model, "--evaluator": evaluator, "--prompt": prompt, "--version": version}
        specification = _loaded(spec, alone).changed(**given, **({"name": name} if name else {}))
    else:
        _require_flags(spec, variant, model, evaluator)
        specification = _of_flags(dataset, model, evaluator, prompt, name, version, url, given)
    if no_gate:
        specification = specification.changed(gate=None)
    if tag:
        specification = specification.changed(tags=[*specification.tags, *tag])
    specification = _with_limits(specification, concurrency, timeout)
    with _variant_progress(quiet=as_json) as progress:
        result = specification.run(variants=variant, progress=progress)
    if as_json:
        print_json(run_json(result))
    else:
        print_run(console(), result)
        for command in next_commands(specification, result):
            console().print(f"next: {command}")
    for name, why in result.lost.items():
        sys.stderr.write(f"error: {name}: {why}; run the same command again when it is back\n")
    if result.stopped:
        sys.stderr.write(f"stopped: {result.stopped}; run the same command again to continue\n")
        raise typer.Exit(ExitCode.STOPPED)
    if result.lost:
        raise typer.Exit(ExitCode.GATE_FAILED)
    if result.gate is not None:
        # What may fail, and how much of it, is for the gate to say.
        raise typer.Exit(ExitCode.DONE if result.gate.passed else ExitCode.GATE_FAILED)
    if any(has_failures(each) for results in result.results.values() for each in results):
        raise typer.Exit(ExitCode.SOME_FAILED)


def _loaded(spec: Path | None, alone: dict[str, Any]) -> Specification:
    from vlmops.errors import UsageError
    from vlmops.experiments.specification import FILE_NAME, Specification

    if spec is None and not Path(FILE_NAME).exists():
        raise UsageError(
            f"say what to run: a dataset with --model and --evaluator, --spec FILE, or a {FILE_NAME} here"
        )
    for flag, value in alone.items():
        if value:
            raise UsageError(f"{flag} {_FLAGS_ALONE}")
    return Specification.load(spec or FILE_NAME)


def _require_flags(spec: Path | None, variant: list[str], model: list[str], evaluator: list[str]) -> None:
    from vlmops.errors import UsageError

    if spec is not None or variant:
        raise UsageError("a dataset and a specification cannot both be given: the file names its dataset")
    if not model or not evaluator:
        missing = "--model" if not model else "--evaluator"
        raise UsageError(f"{missing} is missing: which {missing.removeprefix('--')} is to be run?")


def _of_flags(
    dataset: str,
    model: list[str],
    evaluator: list[str],
    prompt: str | None,
    name: str | None,
    version: str | None,
    url: str | None,
    given: dict[str, Any],
) -> Specification:
    """The specification that the flags stand for."""
    from vlmops.experiments.specification import Specification

    variants = [
        {
            "name": _variant_name(name, each, several=len(model) > 1),
            "model": each,
            **({"prompt": {"text": prompt}} if prompt is not None else {}),
        }
        for each in model
    ]
    evaluators = [{"use": use, **parameters} for use, parameters in map(parsed_evaluator, evaluator)]
    platform = [{"name": "phoenix", **({"url": url} if url else {})}]
    return Specification.of(
        dataset={"name": dataset, "version": version},
        variants=variants,
        evaluators=evaluators,
        **{"on": platform, **given},
    )


def _with_limits(
    specification: Specification, concurrency: int | None, timeout: float | None
) -> Specification:
    changes = {"concurrency": concurrency, "deadline": timeout}
    given = {field: value for field, value in changes.items() if value is not None}
    if not given:
        return specification
    return specification.changed(limits=specification.limits.model_copy(update=given))


def _budget(usd: float | None, tokens: int | None) -> dict[str, Any] | None:
    return None if usd is None and tokens is None else {"usd": usd, "tokens": tokens}


def _variant_name(name: str | None, model: str, several: bool) -> str:
    if name is None:
        return model
    return f"{name} {model}" if several else name


@contextmanager
def _variant_progress(quiet: bool) -> Iterator[VariantProgress | None]:
    """A bar for each variant in turn."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        bars: dict[str, Any] = {}

        def told(name: str, done: int, total: int) -> None:
            if name not in bars:
                stack.pop_all().close()
                bars[name] = stack.enter_context(measured(name, quiet=False))
            if bars[name] is not None:
                bars[name](done, total)

        yield None if quiet or not sys.stderr.isatty() else told
