"""Ministack's Lambda dispatch, replaced: Python functions run in `Worker` processes.

Every invocation passes the dispatch (API, event source mappings, EventBridge, Step Functions, asynchronous
retries). Node functions, which only the CDK's own custom resources use, keep ministack's executor; other
runtimes are refused by name.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localcloud.authorization.authority import AccessDeniedError, Authority
from localcloud.authorization.credentials import Credentials, session
from localcloud.authorization.needs import Need
from localcloud.lambda_runtime import logs
from localcloud.lambda_runtime.packages import PackageStore
from localcloud.lambda_runtime.pool import PoolExhaustedError, WorkerPool
from localcloud.lambda_runtime.worker import FunctionSpec, Outcome
from localcloud.part import Part
from localcloud.programs.templates import Templates
from localcloud.seams import iam, lambda_functions
from localcloud.seams.responses import request_scope
from localcloud.settings import Settings

Result = dict[str, Any]
_REAP_SECONDS = 5.0


class LambdaExecutor(Part):
    """Runs invocations for ministack.

    Parameters
    ----------
    settings
        Of the local cloud.
    authority
        Gives each function the credentials of its role.
    on_change
        Called after each invocation.
    """

    def __init__(self, settings: Settings, authority: Authority, on_change: Callable[[], None]) -> None:
        self._settings = settings
        self._authority = authority
        self._on_change = on_change
        self._store = PackageStore(settings.home / "lambda")
        self._templates = Templates(settings.template_idle_seconds)
        self.pool = WorkerPool(
            settings.host, settings.lambda_concurrency, settings.lambda_idle_seconds, self._templates
        )
        self._stopping = threading.Event()

    def install(self) -> None:
        """Replace ministack's dispatch."""
        self._original: Callable[..., Result] = lambda_functions.execute_function.replace(self.dispatch)
        for issued in (iam.warm_credentials, iam.cold_credentials):
            issued.replace(lambda config: self._credentials(config).variables)

    async def start(self) -> None:
        """Give back what was being worked on when the server ended, and begin to end idle workers."""
        with request_scope(self._settings.account, self._settings.region):
            lambda_functions.return_messages()
        threading.Thread(target=self._reap, name="lambda-reaper", daemon=True).start()

    def shutdown(self) -> None:
        """End all workers."""
        self._stopping.set()
        self.pool.close()
        self._templates.close()
        lambda_functions.end_workers()

    def dispatch(
        self, function: dict[str, Any], config: dict[str, Any], event: object, request_id: str, started: float
    ) -> Result:
        """Run one invocation; same arguments and result as the function that it replaces."""
        runtime = str(config.get("Runtime", ""))
        if config.get("PackageType", "Zip") == "Zip" and runtime.startswith("nodejs"):
            return self._original(function, config, event, request_id, started)
        if config.get("PackageType", "Zip") != "Zip" or not runtime.startswith("python"):
            kind = config.get("PackageType") if config.get("PackageType") == "Image" else runtime
            return _failure(
                "Runtime.NotSupported",
                f"the local cloud runs Python (zip) functions, not {kind!r}: use a python3.x runtime",
            )
        code = function.get("code_zip")
        if not code:
            return _failure(
                "Runtime.InvalidEntrypoint", f"{config.get('FunctionName')}: the function has no code"
            )
        try:
            spec = self._spec(config, code)
        except AccessDeniedError:
            return _failure(
                "AccessDeniedException", "The role defined for the function cannot be assumed by Lambda."
            )
        payload = json.dumps(event, ensure_ascii=False).encode()
        trace = lambda_functions.xray_trace_id(config)
        try:
            with self.pool.lease(_key(config), _generation(config), spec) as lease:
                outcome = lease.worker.invoke(request_id, payload, str(config.get("FunctionArn", "")), trace)
                lease.keep = outcome.usable
                stream = lease.worker.log_stream
        except PoolExhaustedError as error:
            throttled: Result = lambda_functions.throttle_response(
                reason_code="ConcurrentInvocationLimitExceeded", msg=f"Rate Exceeded: {error}"
            )
            return throttled
        self._on_change()
        lines = logs.invocation_lines(spec, request_id, outcome)
        role = session(str(config.get("Role", "")), spec.name)
        self._authority.allows(role, _tracing(config))
        if self._authority.allows(role, self._logging(spec.log_group, stream)):
            logs.write(spec.log_group, stream, lines, outcome.lines)
        return _result(outcome, lines)

    def _spec(self, config: dict[str, Any], code: bytes) -> FunctionSpec:
        name = str(config.get("FunctionName", "unknown"))
        folders = [self._store.extract(code, config.get("CodeSha256"))]
        for layer in config.get("Layers") or ():
            archive = lambda_functions.resolve_layer_zip(layer)
            if archive:
                folder = self._store.extract(archive)
                folders += [found for found in _layer_folders(folder) if found.is_dir()]
        folders.append(self._store.runtime())
        region = self._settings.region
        logging_config = config.get("LoggingConfig") or {}
        return FunctionSpec(
            name=name,
            version=str(config.get("Version", "$LATEST")),
            handler=str(config.get("Handler", "")),
            memory_mb=int(config.get("MemorySize", 128)),
            timeout_seconds=int(config.get("Timeout", 3)),
            log_group=logging_config.get("LogGroup") or f"/aws/lambda/{name}",
            search_path=tuple(folders),
            variables=dict((config.get("Environment") or {}).get("Variables") or {}),
            runtime_variables={
                "AWS_REGION": region,
                "AWS_DEFAULT_REGION": region,
                **self._credentials(config).variables,
                "AWS_ENDPOINT_URL": self._settings.endpoint_url,
            },
        )

    def _credentials(self, config: dict[str, Any]) -> Credentials:
        arn, role = str(config.get("FunctionArn", "")), str(config.get("Role", ""))
        return self._authority.credentials("lambda", role, str(config.get("FunctionName")), arn)

    def _logging(self, group: str, stream: str) -> list[Need]:
        arn = self._authority.place.arn("logs", f"log-group:{group}:log-stream:{stream}")
        return [Need("logs:CreateLogStream", arn), Need("logs:PutLogEvents", arn)]

    def _reap(self) -> None:
        while not self._stopping.wait(_REAP_SECONDS):
            self.pool.end_idle()


def _layer_folders(folder: Path) -> list[Path]:
    return [folder / "python", *sorted((folder / "python" / "lib").glob("python3.*/site-packages"))]


def _tracing(config: dict[str, Any]) -> list[Need]:
    """Return what Lambda needs to send a function's trace in the name of its role."""
    if (config.get("TracingConfig") or {}).get("Mode") != "Active":
        return []
    return [Need(f"xray:{name}", "*") for name in ("PutTraceSegments", "PutTelemetryRecords")]


def _key(config: dict[str, Any]) -> str:
    return f"{config.get('FunctionName')}:{config.get('Version', '$LATEST')}"


def _generation(config: dict[str, Any]) -> str:
    fixed = {
        name: config.get(name)
        for name in (
            "CodeSha256",
            "Environment",
            "Handler",
            "Layers",
            "Role",
            "MemorySize",
            "Timeout",
            "LoggingConfig",
        )
    }
    return hashlib.sha256(json.dumps(fixed, sort_keys=True, default=str).encode()).hexdigest()


def _result(outcome: Outcome, lines: list[str]) -> Result:
    log = "\n".join(lines)
    try:
        body = json.loads(outcome.payload)
    except ValueError:
        body = outcome.payload.decode("utf-8", "replace")
    if outcome.is_error:
        return {"body": body, "error": True, "function_error": "Unhandled", "log": log}
    return {"body": body, "log": log}


def _failure(error_type: str, message: str) -> Result:
    body = {"errorType": error_type, "errorMessage": message}
    return {"body": body, "error": True, "function_error": "Unhandled", "log": f"{time.time():.3f} {message}"}
