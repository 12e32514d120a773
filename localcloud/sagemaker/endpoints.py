"""Endpoints: created, updated blue/green, deleted, and served again after a restart."""

import logging
import threading
from collections.abc import Callable

from localcloud.authorization.needs import Place, alarm_needs
from localcloud.sagemaker.clock import now
from localcloud.sagemaker.context import Context
from localcloud.sagemaker.deployment import Deployment, DeploymentPolicy, RolledBackError
from localcloud.sagemaker.errors import InvalidRequestError, JobFailedError
from localcloud.sagemaker.fleet import Fleet, plan_of
from localcloud.sagemaker.kinds import ENDPOINT
from localcloud.sagemaker.limits import require_endpoint_quota
from localcloud.sagemaker.logs import LogSender
from localcloud.sagemaker.model_data import ROLE
from localcloud.sagemaker.shapes import Document

logger = logging.getLogger(__name__)

_BUSY = ("Creating", "Updating", "RollingBack", "SystemUpdating")
_READY_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_ATTEMPTS_BEFORE_UPDATE = 3
"""So often the old fleet is started before an update goes on without it."""


class LiveEndpoint:
    """What serves one endpoint: the fleet in service and, during a deployment, the one that takes over."""

    def __init__(self) -> None:
        self.fleet: Fleet | None = None
        self.deployment: Deployment | None = None
        self.changed = threading.Condition()

    def put(self, fleet: Fleet | None) -> None:
        """Set the fleet in service and wake those who wait for it."""
        with self.changed:
            self.fleet = fleet
            self.changed.notify_all()

    def wait_fleet(self, seconds: float) -> Fleet | None:
        """Return the fleet that answers the next request; waits while it starts again after a restart."""
        deployment = self.deployment
        if deployment and (chosen := deployment.choose()):
            return chosen
        if self.fleet is None:
            with self.changed:
                self.changed.wait_for(lambda: self.fleet is not None, seconds)
        return self.fleet


class EndpointSupervisor:
    """Knows every live endpoint and carries out what the API asks for, one thread an operation."""

    def __init__(self, context: Context, logs: LogSender) -> None:
        self._context = context
        self._logs = logs
        self._live: dict[str, LiveEndpoint] = {}
        self._lock = threading.Lock()
        self._leaving = False
        self._left = threading.Event()

    def create(self, request: Document, owner: str | None) -> str:
        """Begin to create an endpoint and return its ARN."""
        name = request["EndpointName"]
        plan = plan_of(self._context, request["EndpointConfigName"])
        require_endpoint_quota(self._context, plan)
        created = now()
        arn = self._context.store.add(
            ENDPOINT,
            name,
            {
                "EndpointName": name,
                "EndpointConfigName": request["EndpointConfigName"],
                "EndpointStatus": "Creating",
                "CreationTime": created,
                "LastModifiedTime": created,
                "Tags": request.get("Tags", []),
                "_plan": plan,
                "_deployment": request.get("DeploymentConfig"),
                "_owner": owner,
            },
        )
        self._begin(name, self._create)
        return arn

    def update(self, request: Document, owner: str | None) -> str:
        """Begin to update an endpoint and return its ARN."""
        name = request["EndpointName"]
        with self._context.store.edit(ENDPOINT, name) as endpoint:
            if endpoint["EndpointStatus"] in _BUSY or endpoint["EndpointStatus"] == "Deleting":
                raise InvalidRequestError(f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
            plan = plan_of(self._context, request["EndpointConfigName"])
            require_endpoint_quota(self._context, plan)
            config = request.get("DeploymentConfig")
            if config is None and request.get("RetainDeploymentConfig"):
                config = endpoint.get("LastDeploymentConfig")
            policy = DeploymentPolicy.of(config)  # an unsupported one is refused before anything changes
            self._require_alarms(plan, config or {})
            if policy.config:
                _require_same_variants(plan, endpoint["_plan"])
            if request.get("RetainAllVariantProperties"):
                _retain(plan, endpoint["_plan"], request.get("ExcludeRetainedVariantProperties", []))
            endpoint.pop("FailureReason", None)
            endpoint.update(
                EndpointStatus="Updating",
                LastModifiedTime=now(),
                _update={
                    "plan": plan,
                    "deployment": policy.config,
                    "owner": owner,
                    "started_at": now(),
                },
            )
            arn: str = endpoint["EndpointArn"]
        self._begin(name, self._update)
        return arn

    def delete(self, name: str) -> None:
        """Delete an endpoint; its processes end in the background."""
        with self._context.store.edit(ENDPOINT, name) as endpoint:
            if endpoint["EndpointStatus"] in _BUSY:
                raise InvalidRequestError(f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
            self._context.store.remove(ENDPOINT, name)
        with self._lock:
            live = self._live.pop(name, None)
        if live and live.fleet:
            threading.Thread(target=live.fleet.end, name=f"endpoint-{name}-end", daemon=True).start()

    def _require_alarms(self, plan: Document, config: Document) -> None:
        """Refuse a deployment whose alarms the role of its models may not see."""
        needs = alarm_needs(config, Place(self._context.settings.account, self._context.settings.region))
        try:
            self._context.require(plan["variants"][0]["containers"][0].get(ROLE), needs)
        except JobFailedError as error:
            raise InvalidRequestError(str(error)) from error

    def set_weights(self, request: Document) -> str:
        """Change weights and instance counts of variants in service."""
        name = request["EndpointName"]
        live = self.live(name)
        with self._context.store.edit(ENDPOINT, name) as endpoint:
            if endpoint["EndpointStatus"] != "InService":
                raise InvalidRequestError(f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
            variants = {variant["VariantName"]: variant for variant in endpoint["_plan"]["variants"]}
            for change in request["DesiredWeightsAndCapacities"]:
                variant = variants.get(change["VariantName"])
                if variant is None:
                    raise InvalidRequestError(
                        f'Could not find variant "{change["VariantName"]}" of endpoint "{name}".'
                    )
                if "DesiredWeight" in change:
                    variant["InitialVariantWeight"] = change["DesiredWeight"]
                    if live and live.fleet:
                        live.fleet.set_weight(change["VariantName"], change["DesiredWeight"])
                if "DesiredInstanceCount" in change:
                    variant["InitialInstanceCount"] = change["DesiredInstanceCount"]
            endpoint["LastModifiedTime"] = now()
            arn: str = endpoint["EndpointArn"]
            return arn

    def live(self, name: str) -> LiveEndpoint | None:
        """Return what serves an endpoint, or None."""
        with self._lock:
            return self._live.get(name)

    def fleet(self, name: str) -> Fleet | None:
        """Return the fleet that answers the next request, or None when the endpoint serves nothing."""
        live = self.live(name)
        return live.wait_fleet(_READY_SECONDS) if live else None

    def resume(self) -> None:
        """Serve again what was in service, and carry on with what was being created or updated."""
        work: dict[str, Callable[[str, LiveEndpoint], object]] = {
            "Creating": self._create,
            "InService": self._restore,
            "Updating": self._update_again,
            "RollingBack": self._update_again,
        }
        for endpoint in self._context.store.all(ENDPOINT):
            if endpoint["EndpointStatus"] in work:
                self._begin(endpoint["EndpointName"], work[endpoint["EndpointStatus"]])

    def abandon(self) -> None:
        """End every process and leave the endpoints as they are."""
        self._leaving = True
        self._left.set()
        with self._lock:
            live = list(self._live.values())
        for endpoint in live:
            if endpoint.deployment:
                endpoint.deployment.abandon()
        for endpoint in live:
            if endpoint.fleet:
                endpoint.fleet.end()

    def _begin(self, name: str, work: Callable[[str, LiveEndpoint], object]) -> None:
        with self._lock:
            live = self._live.setdefault(name, LiveEndpoint())
        threading.Thread(
            target=self._carry_out, args=(name, live, work), name=f"endpoint-{name}", daemon=True
        ).start()

    def _carry_out(self, name: str, live: LiveEndpoint, work: Callable[[str, LiveEndpoint], None]) -> None:
        settled = False
        try:
            work(name, live)
            settled = True
        finally:  # an endpoint is never left in a state that nobody ends
            if not settled:
                self._settle(
                    name,
                    EndpointStatus="Failed",
                    FailureReason="InternalServerError: see the log of the local cloud",
                )

    def _create(self, name: str, live: LiveEndpoint) -> None:
        live.deployment = None
        deployment = self._context.store.get(ENDPOINT, name)["_deployment"]
        if self._serve(name, live):
            self._settle(name, EndpointStatus="InService", LastDeploymentConfig=deployment)

    def _serve(self, name: str, live: LiveEndpoint) -> bool:
        """Start the endpoint's fleet; an endpoint whose fleet does not start is Failed."""
        fleet = Fleet(self._context, self._logs, name, self._context.store.get(ENDPOINT, name)["_plan"])
        try:
            fleet.start()
        except (JobFailedError, OSError) as error:
            self._settle(name, EndpointStatus="Failed", FailureReason=str(error)[:1024])
            return False
        self._put(live, fleet)
        return True

    def _restore(self, name: str, live: LiveEndpoint, attempts: int | None = None) -> None:
        """Serve again what was in service; a fleet that does not start is replaced, as on AWS.

        Parameters
        ----------
        attempts
            After so many it is given up; without a number, only when the endpoint is deleted or updated.
        """
        status = self._context.store.get(ENDPOINT, name)["EndpointStatus"]
        pause, tried = _FIRST_PAUSE_SECONDS, 0
        while not self._leaving and (attempts is None or tried < attempts):
            tried += 1
            endpoint = self._context.store.find(ENDPOINT, name)
            if endpoint is None or endpoint["EndpointStatus"] != status:
                return
            fleet = Fleet(self._context, self._logs, name, endpoint["_plan"])
            try:
                fleet.start()
            except (JobFailedError, OSError) as error:
                logger.warning("endpoint %s does not start again: %s; attempt %d", name, error, tried)
                self._left.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                continue
            endpoint = self._context.store.find(ENDPOINT, name)
            if endpoint is None or endpoint["EndpointStatus"] != status:
                fleet.end()
            else:
                self._put(live, fleet)
            return

    def _update_again(self, name: str, live: LiveEndpoint) -> None:
        self._restore(name, live, attempts=_ATTEMPTS_BEFORE_UPDATE)
        if not self._leaving:
            self._update(name, live)

    def _update(self, name: str, live: LiveEndpoint) -> None:
        endpoint = self._context.store.get(ENDPOINT, name)
        update = endpoint["_update"]
        old = live.fleet
        new = Fleet(self._context, self._logs, name, update["plan"])
        policy = DeploymentPolicy.of(update["deployment"])
        live.deployment = Deployment(self._context, policy, old, new)
        try:
            live.deployment.run(on_rollback=lambda: self._settle(name, EndpointStatus="RollingBack"))
        except RolledBackError as error:
            live.deployment = None
            new.end()
            self._settle(
                name,
                EndpointStatus="InService" if old else "Failed",
                FailureReason=str(error)[:1024],
                _update=None,
            )
            return
        self._put(live, new)
        live.deployment = None
        if old:
            old.end()
        self._settle(
            name,
            EndpointStatus="InService",
            EndpointConfigName=update["plan"]["configuration"],
            LastDeploymentConfig=update["deployment"],
            _plan=update["plan"],
            _update=None,
            _owner=update["owner"],
        )

    def _put(self, live: LiveEndpoint, fleet: Fleet) -> None:
        live.put(fleet)
        if self._leaving:
            fleet.end()

    def _settle(self, name: str, **members: object) -> None:
        if self._leaving:
            return
        with self._context.store.edit(ENDPOINT, name) as endpoint:
            endpoint.update(members, LastModifiedTime=now())
            for member in [member for member, value in endpoint.items() if value is None]:
                del endpoint[member]


def _require_same_variants(plan: Document, old: Document) -> None:
    """Refuse what AWS's deployment guardrails exclude.

    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
    """
    known = {variant["VariantName"] for variant in old["variants"]}
    names = {variant["VariantName"] for variant in plan["variants"]}
    if names != known:
        raise InvalidRequestError(
            f"Endpoint configuration {plan['configuration']} must have the same variant names as "
            f"{old['configuration']}: {', '.join(sorted(known))}; it has {', '.join(sorted(names))}."
        )


def _retain(plan: Document, old: Document, excluded: list[Document]) -> None:
    members = {
        "DesiredWeight": "InitialVariantWeight",
        "DesiredInstanceCount": "InitialInstanceCount",
    }
    dropped = {item["VariantPropertyType"] for item in excluded}
    previous = {variant["VariantName"]: variant for variant in old["variants"]}
    for variant in plan["variants"]:
        for kind, member in members.items():
            value = previous.get(variant["VariantName"], {}).get(member)
            if kind not in dropped and value is not None:
                variant[member] = value
    if "DataCaptureConfig" not in dropped:
        plan["capture"] = old["capture"]
