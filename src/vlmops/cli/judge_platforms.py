"""``vlmops judges publish`` and ``deploy``: a judge's prompt on a platform, and a judge on its server."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from vlmops.cli.judge_cases import made_any_judge, made_judge
from vlmops.cli.options import PlatformOption, UrlOption, connected
from vlmops.cli.output import JsonOption, console, print_json

JudgeArgument = typer.Argument(
    help="Judge by name, with parameters as JSON after '=': 'judge_grounded={\"model\": \"openai:o3\"}'; "
    "or a TOML file of them."
)


def publish_command(
    judge: str = JudgeArgument,
    on: str = PlatformOption,
    url: str | None = UrlOption,
    name: str | None = typer.Option(None, "--name", help="Of the prompt; the judge's own otherwise."),
    label: list[str] = typer.Option([], "--label", help="Made to point to this version; repeat it for more."),
    as_json: bool = JsonOption,
) -> None:
    """Keep a judge's prompt on a platform, in versions; the same prompt is written once."""
    from vlmops.judges import prompts_of, publish_prompt

    platform = connected(on, url)
    found = prompts_of(publish_prompt(platform, made_any_judge(judge), name=name, labels=label))
    if as_json:
        print_json(found)
        return
    for prompt in found:
        console().print(f"prompt {prompt['name']}, version {prompt['version']}, on {platform.location}")
        typer.echo(f'  have scores and traces name it: "prompt": {json.dumps(dict(prompt))}')


def deploy_command(
    judge: str = JudgeArgument,
    on: str = PlatformOption,
    url: str | None = UrlOption,
    provider: str | None = typer.Option(
        None,
        "--provider",
        help="The platform's connection to the model; what is before the ':' of its name otherwise.",
    ),
    platform_model: bool = typer.Option(
        False, "--platform-model", help="Have the model judge that the platform has chosen."
    ),
    text_only: bool = typer.Option(
        False, "--text-only", help="For a rubric that needs no picture, whose view shows none."
    ),
    as_json: bool = JsonOption,
) -> None:
    """Have the platform's own server judge by a rubric, where it shows pictures to judges; else refuse."""
    from vlmops.judges import deploy_judge

    deployed = deploy_judge(
        connected(on, url),
        made_judge(judge),
        provider=provider,
        platform_model=platform_model,
        text_only=text_only,
    )
    if as_json:
        print_json([asdict(each) for each in deployed])
        return
    for each in deployed:
        state = "written" if each.written else "was there already"
        typer.echo(f"{each.name}, version {each.version}: {state}\n  {each.url}")
        if each.problem:
            typer.echo(f"  it does not judge yet: {each.problem}")
    typer.echo(
        "It judges what a rule there chooses: attach it to one, on observations whose input is the picture."
    )
