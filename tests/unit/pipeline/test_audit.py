"""The audit of dependencies: what registries answer, and that silence is not taken for safety."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.audit import FOUND, NOT_ASKED, Finding, RegistryError, audited, of_node, of_python, pins_of

PINS = [("good", "1.0"), ("old", "2.1")]
OLD = {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "fixed_in": ["2.2"], "withdrawn": None}
WITHDRAWN = {**OLD, "id": "PYSEC-2026-2", "withdrawn": "2026-01-01T00:00:00Z"}


def pypi(url: str) -> bytes:
    return json.dumps({"vulnerabilities": [OLD, WITHDRAWN] if "/old/2.1/" in url else []}).encode()


def npm(document: Any) -> Any:
    return lambda folder: json.dumps(document)


def test_pins_are_read_once_whatever_stands_behind_them() -> None:
    text = "b==2 \\\n    --hash=sha256:1\na==1 ; python_version < '3.12'\na==1 ; x\n# c==3\n"
    assert pins_of(text) == [("a", "1"), ("b", "2")]


def test_python_packages_are_told_with_what_fixes_them() -> None:
    assert of_python(PINS, pypi) == [
        Finding("requirements.txt", "old 2.1", "PYSEC-2026-1/CVE-2026-1", "fixed in 2.2")
    ]


def test_a_registry_without_the_api_is_asked_once() -> None:
    asked: list[str] = []

    def missing(url: str) -> bytes:
        asked.append(url)
        raise OSError("HTTP Error 404: Not Found")

    with pytest.raises(RegistryError, match=r"good 1\.0.*404"):
        of_python(PINS, missing)
    assert len(asked) == 1


def test_node_packages_are_told_with_what_fixes_them() -> None:
    vulnerable = {
        "esbuild": {
            **{"severity": "moderate", "range": "<=0.24.2", "via": [{"title": "CORS"}]},
            "fixAvailable": True,
        },
        "vite": {
            **{"severity": "high", "range": "<9", "via": ["esbuild"]},
            "fixAvailable": {"name": "vite", "version": "9.0.0"},
        },
    }  # fmt: skip
    told = [str(each) for each in of_node(Path("web"), npm({"vulnerabilities": vulnerable}))]
    assert told == [
        "web/package-lock.json: esbuild <=0.24.2: moderate, CORS; `npm audit fix`",
        "web/package-lock.json: vite <9: high, esbuild; fixed by vite 9.0.0",
    ]


def test_silence_is_said_and_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    refused = {"message": "405 Method Not Allowed", "statusCode": 405}
    assert audited(lambda: of_python(PINS[:1], pypi), lambda: of_node(Path("web"), npm(refused))) == NOT_ASKED
    assert "not asked: npm's registry did not answer for web/package-lock.json: 40" in capsys.readouterr().out
    assert audited(lambda: of_python(PINS, pypi), lambda: of_node(Path("web"), npm(refused))) == FOUND
    assert audited(lambda: of_python(PINS[:1], pypi)) == 0
