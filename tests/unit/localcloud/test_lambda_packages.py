import io
import zipfile
from pathlib import Path

import pytest

from localcloud.lambda_runtime.packages import PackageStore


def archive(text: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as bundle:
        bundle.writestr("function.py", text)
    return content.getvalue()


def test_package_is_extracted_once_for_each_content(tmp_path: Path) -> None:
    store = PackageStore(tmp_path)

    first = store.extract(archive("1"))

    assert (first / "function.py").read_text() == "1"
    assert store.extract(archive("1")) == first
    assert store.extract(archive("2")) != first


def test_broken_package_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(zipfile.BadZipFile):
        PackageStore(tmp_path).extract(b"no zip")

    assert list(tmp_path.iterdir()) == []


def test_runtime_has_what_aws_provides_and_nothing_else(tmp_path: Path) -> None:
    names = {path.name for path in PackageStore(tmp_path).runtime().iterdir()}

    assert {"awslambdaric", "boto3", "botocore", "urllib3"} <= names
    assert not {"numpy", "pydantic", "ministack", "aws_lambda_powertools"} & names
