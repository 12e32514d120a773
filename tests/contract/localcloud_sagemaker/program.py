"""The test image: one small program that trains, serves and processes as its parameters say."""

import json
import os
import subprocess
import sys
import tarfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))


def train() -> None:
    parameters = json.loads((ROOT / "input/config/hyperparameters.json").read_text())
    if seconds := parameters.get("grandchild_seconds"):
        child = subprocess.Popen(
            [sys.executable, "-c", f"import time; time.sleep({seconds})"], start_new_session=True
        )
        print(f"grandchild {child.pid}", flush=True)
    time.sleep(float(parameters.get("sleep", "0")))
    if text := parameters.get("fail"):
        (ROOT / "output/failure").write_text(text)
        raise SystemExit(3)
    rows = [
        line
        for file in sorted((ROOT / "input/data/train").rglob("*"))
        if file.is_file()
        for line in file.open()
    ]
    print(f"rows={len(rows)}; mean: 1.5;")
    print("mean: 2.5;")
    model = {
        "rows": len(rows),
        "parameters": parameters,
        "channels": json.loads((ROOT / "input/config/inputdataconfig.json").read_text()),
        "hosts": json.loads((ROOT / "input/config/resourceconfig.json").read_text())["hosts"],
        "environment": {
            name: os.environ.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "OWN")
        },
    }
    (ROOT / "model/model.json").write_text(json.dumps(model))
    (ROOT / "output/data/report.txt").write_text("done")


class Handler(BaseHTTPRequestHandler):
    """Adds ADD to every number of a CSV body; NAME goes into the custom attributes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.answer(200 if self.path == "/ping" and os.environ.get("HEALTHY", "yes") == "yes" else 404, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"] == "text/trace":
            trace = f"{body.decode()}>{os.environ.get('NAME')}[{self.headers['Accept']}]"
            self.answer(200, trace.encode(), "text/trace")
            return
        if body.startswith(b"sleep"):
            time.sleep(float(body[5:]))
        if body == b"environment":
            self.answer(200, json.dumps(dict(os.environ)).encode(), "application/json")
            return
        if body == b"files":
            names = [path.relative_to(ROOT).as_posix() for path in sorted(ROOT.rglob("*")) if path.is_file()]
            self.answer(200, json.dumps(names).encode(), "application/json")
            return
        try:
            add = float(os.environ.get("ADD", "0"))
            out = "\n".join(str(float(cell) + add) for cell in body.decode().split("\n") if cell)
        except ValueError as error:
            self.answer(400, f"bad record: {error}".encode(), "text/plain")
            return
        self.answer(200, out.encode(), "text/csv")

    def answer(self, status: int, body: bytes, content_type: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def serve() -> None:
    if os.environ.get("CRASH"):
        print("cannot load the model")
        raise SystemExit(1)
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()


def process() -> None:
    arguments = dict(zip(sys.argv[2::2], sys.argv[3::2], strict=True))
    if text := arguments.get("--fail"):
        (ROOT / "output/message").write_text(text)
        raise SystemExit(5)
    time.sleep(float(arguments.get("--sleep", "0")))
    names = [path.name for path in sorted(Path(arguments["--in"]).rglob("*")) if path.is_file()]
    report = {
        "names": names,
        "own": os.environ.get("OWN"),
        "config": (ROOT / "config/processingjobconfig.json").exists(),
    }
    Path(arguments["--out"], "sub").mkdir()
    Path(arguments["--out"], "sub", "report.json").write_text(json.dumps(report))


def archive(files: dict[str, str]) -> bytes:
    """Make a model.tar.gz (used by the tests)."""
    import io

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


if __name__ == "__main__":
    {"train": train, "serve": serve, "process": process}[sys.argv[1]]()
