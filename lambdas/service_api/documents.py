"""Bodies of requests and answers, as pydantic validates them and the OpenAPI document publishes them."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationInfo,
    field_validator,
)

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.severity import THRESHOLD_SEVERITY
from watchkeeper.detectors.catalogue import MODELS, RULES, chosen_name
from watchkeeper.detectors.tabular.rule_parameters import RULE_PARAMETERS, checked_parameters
from watchkeeper.service.request_item import Status
from watchkeeper.service.tasks import Task
from watchkeeper.service.tenant_files import DATA_EXTENSIONS, KEY_LENGTH, KEY_PATTERN

MAX_FILE_BYTES = 5_000_000_000
"""Largest file that is taken: S3's limit for one upload request is 5 GiB."""


def _read(rule: Any) -> BeforeValidator:
    """Let a rule of the domain read a field; what it refuses is a wrong value with the rule's own words."""

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return rule(value)
        except InvalidInputError as error:
            raise ValueError(str(error)) from error

    return BeforeValidator(read)


FileKey = Annotated[
    str,
    Field(
        min_length=1,
        max_length=KEY_LENGTH,
        pattern=f"^{KEY_PATTERN}$",
        description="Key of a file: `project/file/name`. The extension may be left out.",
        examples=["project/file/cogen_feature"],
    ),
]
ModelKey = Annotated[
    str,
    Field(
        min_length=1,
        max_length=KEY_LENGTH,
        pattern=f"^{KEY_PATTERN}$",
        description="`model_path` of a train answer, or `registry/WORKLOAD[/VERSION]`: a workload's.",
    ),
]
RequestId = Annotated[UUID, Field(description="Made by the caller; a repetition is the same task.")]
Decimal = Annotated[
    Literal[".", ","], Field(description="The decimal sign of the numbers in the request's CSV files.")
]
SaveCharts = Annotated[StrictBool, Field(description="Whether charts are drawn.")]
ModelName = Annotated[
    str,
    _read(partial(chosen_name, among=MODELS, asked="model_name")),
    Field(
        description="Algorithm. Case, spaces, `-` and `_` do not count. "
        + " ".join(f"`{title}`: {entry.summary}." for title, entry in MODELS.items()),
        json_schema_extra={"enum": list(MODELS)},
        examples=["DBSCAN"],
    ),
]
MethodName = Annotated[
    str,
    _read(partial(chosen_name, among=RULES, asked="method_name")),
    Field(description="Univariate method.", json_schema_extra={"enum": list(RULES)}),
]
Unused = Annotated[str | None, Field(max_length=KEY_LENGTH, description="Not used; may be empty.")]


RuleParameters = Annotated[
    dict[str, Any],
    Field(
        description="Parameters of the method; what is not given has its default. "
        + " ".join(
            f"`{method}`: "
            + "; ".join(
                f"`{name}`, {one.what}: {one.allowed} (default {'null' if one.optional else one.default})"
                for name, one in parameters.items()
            )
            + "."
            for method, parameters in RULE_PARAMETERS.items()
        ),
        examples=[{"margin": 3.0}],
    ),
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TrainBody(_Body):
    """Train a detector on a file of features; with labels, search hyperparameters for the best F1."""

    request_id: RequestId
    model_name: ModelName
    save_charts: SaveCharts = False
    decimal: Decimal = "."
    train_feature_file: FileKey
    train_label_file: FileKey | None = None


class ValidBody(_Body):
    """Score a labelled file and measure. `valid_features_file` and `valid_labels_file` are understood too."""

    request_id: RequestId
    model_path: ModelKey
    save_charts: SaveCharts = False
    decimal: Decimal = "."
    valid_feature_file: Annotated[
        FileKey, Field(validation_alias=AliasChoices("valid_feature_file", "valid_features_file"))
    ]
    valid_label_file: Annotated[
        FileKey, Field(validation_alias=AliasChoices("valid_label_file", "valid_labels_file"))
    ]


class UnivariateBody(_Body):
    """Find anomalies in each column by itself; the first column is the time."""

    request_id: RequestId
    detection_type: Literal["univariate"]
    method_name: MethodName
    parameters: RuleParameters = {}
    model_path: Unused = None
    decimal: Decimal = "."
    feature_file: Annotated[FileKey, Field(validation_alias=AliasChoices("feature_file", "features_file"))]

    @field_validator("parameters")
    @classmethod
    def _allowed(cls, parameters: dict[str, Any], others: ValidationInfo) -> dict[str, Any]:
        """Refuse what the method does not take; a wrong method is refused by itself."""
        method = others.data.get("method_name")
        if method is None:
            return parameters
        try:
            return checked_parameters(method, parameters)
        except InvalidInputError as error:
            raise ValueError(str(error)) from error


class MultivariateBody(_Body):
    """Find anomalies by a trained model. `features_file` is understood too."""

    request_id: RequestId
    detection_type: Literal["multivariate"]
    model_path: ModelKey
    method_name: Unused = None
    decimal: Decimal = "."
    feature_file: Annotated[FileKey, Field(validation_alias=AliasChoices("feature_file", "features_file"))]


InferBody = Annotated[UnivariateBody | MultivariateBody, Field(discriminator="detection_type")]


class UploadBody(_Body):
    """A file that is going to be uploaded."""

    key: Annotated[
        str,
        Field(
            min_length=1,
            max_length=KEY_LENGTH,
            pattern=rf"^{KEY_PATTERN}\.({'|'.join(each[1:] for each in DATA_EXTENSIONS)})$",
            description="`project/file/name.csv` or `.parquet`.",
            examples=["project/file/cogen_feature.csv"],
        ),
    ]
    size_bytes: Annotated[int, Field(strict=True, ge=1, description=f"Exact size; at most {MAX_FILE_BYTES}.")]


class _Answer(BaseModel):
    model_config = ConfigDict(populate_by_name=True)


class Upload(_Answer):
    """Where and how to upload: one request with this method, these headers and the file as its body."""

    key: str
    method: Literal["PUT"] = "PUT"
    url: str
    headers: dict[str, str]
    expires_in_seconds: int


class Download(_Answer):
    """Where to download a file."""

    key: str
    url: str
    size_bytes: int
    expires_in_seconds: int


class TaskStarted(_Answer):
    """A request that was accepted; ask for its results by `_id`."""

    id: str = Field(alias="_id", description="The request's `request_id`.")
    task: Task
    status: Status
    task_id: str = Field(description="ARN of the Step Functions execution.")


class Progress(_Answer):
    """How far a running task is."""

    done: int
    total: int
    message: str


class TaskFailure(_Answer):
    """Why a task failed; `type` is the name of a problem."""

    type: str
    message: str


def _absent(value: object) -> bool:
    return value is None


class _Results(_Answer):
    id: str = Field(alias="_id")
    task: Task
    status: Status
    progress: Progress | None = Field(
        default=None, exclude_if=_absent, description="Only while the task runs."
    )
    error: TaskFailure | None = Field(default=None, exclude_if=_absent, description="Only if it failed.")


class TrainResults(_Results):
    """A train request; what is not written yet is null."""

    predictions_label_file: str | None = None
    model_path: str | None = None
    predictions_charts_file: str | None = None


class ValidResults(_Results):
    """A valid request; what is not written yet is null."""

    metrics: dict[str, Any] | None = None
    predictions_label_file: str | None = None
    predictions_charts_file: str | None = None


class InferResults(_Results):
    """An infer request; what is not written yet is null."""

    predictions_label_file: str | None = None


class StatusChange(_Answer):
    """A status and when it began."""

    status: Status
    at: str


class RequestSummary(_Answer):
    """Everything that is known of a request."""

    id: str = Field(alias="_id")
    task: Task
    status: Status
    request_id: str
    task_id: str
    parameters: dict[str, Any]
    history: list[StatusChange]
    progress: Progress | None = None
    results: dict[str, str] = {}
    metrics: dict[str, Any] | None = None
    error: TaskFailure | None = None
    created_at: str
    updated_at: str


class RequestPage(_Answer):
    """Requests, the newest first."""

    requests: list[RequestSummary]
    next_page_token: str | None = Field(description="Ask with it for the next page; null on the last one.")


class ScoredInterval(_Answer):
    """An interval of a series as the scoring loop judged it."""

    model_config = ConfigDict(extra="allow")

    series: str
    interval_start: str = Field(description="ISO 8601, UTC.")
    value: float | None
    expected: float | None = Field(description="Null where nothing is known of the intervals before.")
    lower: float | None = Field(description="Lower end of the expected band.")
    upper: float | None
    anomaly_score: float | None = Field(description="Null with a `reason`.")
    is_anomaly: bool
    threshold: float | None = None
    severity: float | None = Field(None, description=f"0 to 100; an anomaly from {THRESHOLD_SEVERITY:g} on.")
    reason: str | None = None
    run_id: str | None = Field(None, description="The training run whose model gave the score.")


class ScorePage(_Answer):
    """Scored intervals of a series in the order of time."""

    scores: list[ScoredInterval]
    next_page_token: str | None = Field(description="Ask with it for the next page; null on the last one.")


class TrainedModel(_Answer):
    """A model that the caller's tenant trained."""

    model_path: str
    model_name: str = Field(description="Algorithm.")
    metrics: dict[str, Any] | None = None
    request: str = Field(description="`_id` of the train request.")
    created_at: str = Field(description="When it was asked for.")


class ModelPage(_Answer):
    """Models, the newest first."""

    models: list[TrainedModel]
    next_page_token: str | None = Field(description="Ask with it for the next page; null on the last one.")
