"""``python -m localcloud.serve``: composes the server from its parts. Started by the supervisor only."""

import asyncio
import functools
import logging

import botocore.session

from localcloud import server
from localcloud.alarms import AlarmsPart
from localcloud.appsync.part import AppSyncPart
from localcloud.athena import AthenaPart
from localcloud.authorization.authority import Authority
from localcloud.authorization.part import AuthorizationPart
from localcloud.cloudformation import CloudFormationPart
from localcloud.cloudfront import CloudFrontPart
from localcloud.disk import DamagedStateError, Disk
from localcloud.dynamodb import DynamoDbPart
from localcloud.events import EventsPart
from localcloud.executions import ExecutionsPart
from localcloud.firehose.part import FirehosePart
from localcloud.glue.part import GluePart
from localcloud.iot import IotPart
from localcloud.iot_devices import IotDevicesPart
from localcloud.lambda_runtime.executor import LambdaExecutor
from localcloud.part import Part
from localcloud.persistence import PersistencePart
from localcloud.request_limits import RequestLimitsPart
from localcloud.s3 import S3Part
from localcloud.sagemaker_part import SageMakerPart
from localcloud.scheduler import SchedulerPart
from localcloud.service_front.part import ServiceFrontPart
from localcloud.service_quotas import ServiceQuotasPart
from localcloud.settings import Settings
from localcloud.status import Status

logger = logging.getLogger(__name__)


def main() -> None:
    """Install every part, serve, and leave nothing behind."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = Settings.from_environment()
    server.raise_file_limit()
    # The models of AWS's services are read once, and not once for each part that looks into them.
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
    parts = build_parts(settings)
    failed = False
    try:
        for part in parts:
            part.install()
        gateway = server.Gateway(parts, Status(settings, parts).document)
        asyncio.run(server.run(settings, gateway))
    except DamagedStateError as error:
        logger.critical("%s", error)
        failed = True
    except Exception:
        logger.exception("the server cannot go on")
        failed = True
    server.leave(parts, failed=failed)


def build_parts(settings: Settings) -> list[Part]:
    """Return the parts in the order in which they are installed and started; they end in reverse order."""
    persistence = PersistencePart(settings, Disk(settings))
    authority = Authority(settings)
    authorization = AuthorizationPart(authority)
    firehose = FirehosePart(settings, authority, persistence.when_saved)
    sagemaker = SageMakerPart(settings, authority)
    cloudformation = CloudFormationPart(settings, persistence.touch_all)
    appsync = AppSyncPart(settings, authority)
    persistence.hooks += [sagemaker.snapshot, cloudformation.snapshot, authorization.snapshot]
    return [
        RequestLimitsPart(),
        authorization,
        ServiceQuotasPart(settings),
        EventsPart(),
        SchedulerPart(),
        S3Part(settings),
        CloudFrontPart(authority),
        DynamoDbPart(),
        AlarmsPart(settings),
        AthenaPart(),
        LambdaExecutor(settings, authority, persistence.touch),
        firehose,
        IotPart(settings, firehose, authority),
        IotDevicesPart(authority),
        sagemaker,
        GluePart(settings, authority, persistence.touch),
        appsync,
        cloudformation,
        ExecutionsPart(settings, persistence.touch),
        persistence,
        ServiceFrontPart(settings, appsync),
    ]


if __name__ == "__main__":
    main()
