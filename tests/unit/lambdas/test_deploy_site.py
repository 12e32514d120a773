"""The console's site in its bucket: what is put, in which order, how long it is kept."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from lambdas.site import deploy_site
from lambdas.site.deploy_site import ALWAYS_ASKED, IMMUTABLE, carry_out

NOW = datetime(2026, 11, 30, tzinfo=timezone.utc)
CONFIGURATION = '{"auth": "cognito"}'


class Bucket:
    """As much of S3's client as the function asks."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.put_keys: list[str] = []

    def put_object(self, **request: Any) -> None:
        self.put_keys.append(request["Key"])
        self.objects[request["Key"]] = {**request, "LastModified": NOW}

    def delete_object(self, **request: Any) -> None:
        del self.objects[request["Key"]]

    def get_paginator(self, operation: str) -> Bucket:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        assert request["Prefix"] == "console/"
        return [
            {"Contents": [{"Key": key, **found} for key, found in self.objects.items()]},
            {},
        ]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("index.html", "theme.js", "watch.svg", "assets/page-a1b2.js", "assets/look-c3d4.css"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(name)
    monkeypatch.setattr(deploy_site, "SITE", tmp_path)
    return tmp_path


def asked(kind: str) -> dict[str, Any]:
    return {"RequestType": kind, "ResourceProperties": {"Configuration": CONFIGURATION}}


def deploy(bucket: Any, kind: str = "Create") -> dict[str, int]:
    return carry_out(asked(kind), bucket, "site", NOW)


@pytest.mark.usefixtures("site")
def test_the_page_comes_last_after_all_that_it_names() -> None:
    bucket = Bucket()

    assert deploy(bucket) == {"put": 6, "removed": 0}
    assert bucket.put_keys[:2] == ["console/assets/look-c3d4.css", "console/assets/page-a1b2.js"]
    assert bucket.put_keys[-2:] == ["console/config.json", "console/index.html"]


@pytest.mark.usefixtures("site")
def test_what_has_a_hash_is_kept_for_ever_and_the_rest_is_asked_for_each_time() -> None:
    bucket = Bucket()
    deploy(bucket)

    kept = {key: (found["CacheControl"], found["ContentType"]) for key, found in bucket.objects.items()}
    assert kept["console/assets/page-a1b2.js"] == (IMMUTABLE, "text/javascript; charset=utf-8")
    assert kept["console/assets/look-c3d4.css"] == (IMMUTABLE, "text/css; charset=utf-8")
    assert kept["console/index.html"] == (ALWAYS_ASKED, "text/html; charset=utf-8")
    assert kept["console/config.json"] == (ALWAYS_ASKED, "application/json; charset=utf-8")
    assert kept["console/watch.svg"] == (ALWAYS_ASKED, "image/svg+xml; charset=utf-8")
    assert b'"auth": "cognito"' in bucket.objects["console/config.json"]["Body"]


@pytest.mark.usefixtures("site")
def test_assets_of_before_stay_for_pages_that_are_open_and_go_after_a_week() -> None:
    bucket = Bucket()
    bucket.objects = {
        "console/assets/page-old1.js": {"LastModified": NOW - timedelta(days=6)},
        "console/assets/page-old2.js": {"LastModified": NOW - timedelta(days=8)},
        "console/gone.txt": {"LastModified": NOW - timedelta(days=1)},
    }

    assert deploy(bucket, "Update") == {"put": 6, "removed": 2}
    assert "console/assets/page-old1.js" in bucket.objects
    assert not {"console/assets/page-old2.js", "console/gone.txt"} & bucket.objects.keys()


@pytest.mark.usefixtures("site")
def test_nothing_is_left_when_the_stack_goes() -> None:
    bucket = Bucket()
    deploy(bucket)

    assert deploy(bucket, "Delete") == {"removed": 6}
    assert bucket.objects == {}
