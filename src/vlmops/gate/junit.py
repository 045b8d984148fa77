"""A gate's checks as JUnit XML, which build servers show as tests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from vlmops.gate.result import Status

if TYPE_CHECKING:
    from vlmops.gate.result import GateCheck, GateResult

# What XML 1.0 has no way to write, even escaped.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(result: GateResult) -> str:
    """One test case a check: failures, errors, and as skipped what lacks evidence and does not block.

    The dialect is the one that GitHub's and GitLab's readers agree on: a ``testsuites`` root, counts on it
    and on the suite, messages as attribute and text.
    """
    root = Element("testsuites", _counts(result))
    suite = SubElement(root, "testsuite", {"name": "vlmops gate", **_counts(result)})
    properties = SubElement(suite, "properties")
    said = {"candidate": result.candidate.name, "candidate_url": result.candidate.url}
    if result.baseline is not None:
        said |= {"baseline": result.baseline.name, "baseline_url": result.baseline.url}
    for name, value in said.items():
        SubElement(properties, "property", {"name": name, "value": _writable(value)})
    for check in result.checks:
        _add(suite, check, result)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _add(suite: Element, check: GateCheck, result: GateResult) -> None:
    case = SubElement(
        suite,
        "testcase",
        {"classname": f"vlmops.gate.{_writable(check.measure)}", "name": _writable(check.title), "time": "0"},
    )
    tag = _tag(check, result)
    message = _writable(check.message)
    if tag == "skipped":
        SubElement(case, tag, {"message": f"{check.status}: {message}"})
    elif tag:
        SubElement(case, tag, {"message": message, "type": check.status.value}).text = message
    else:
        SubElement(case, "system-out").text = message


def _tag(check: GateCheck, result: GateResult) -> str:
    if check.status is Status.ERROR:
        return "error"
    if result.blocks(check):
        return "failure"
    return "skipped" if check.status is Status.UNCLEAR else ""


def _counts(result: GateResult) -> dict[str, str]:
    tags = [_tag(check, result) for check in result.checks]
    counts = {"tests": len(tags), "failures": tags.count("failure"), "errors": tags.count("error")}
    return {key: str(n) for key, n in {**counts, "skipped": tags.count("skipped"), "time": 0}.items()}


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
