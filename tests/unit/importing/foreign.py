"""Made detectors of other services, with every field that is read; what is said of each is in the tests."""

from __future__ import annotations

import json
from typing import Any

ACCOUNT = "eu-west-1:111122223333"
DETECTOR_ARN = f"arn:aws:lookoutmetrics:{ACCOUNT}:AnomalyDetector:plant-emissions"

LOOKOUT_TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Bucket: {Type: String}
  Zone: {Type: String, Default: Europe/Berlin}
  Stage: {Type: String, Default: prod}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsTest: !Not [!Condition IsProd]
Mappings:
  Thresholds: {prod: {severity: 80}, test: {severity: 95}}
Resources:
  Detector:
    Type: AWS::LookoutMetrics::AnomalyDetector
    Properties:
      AnomalyDetectorName: !Sub "plant-${Stage}"
      AnomalyDetectorDescription: Gases of the plant
      AnomalyDetectorConfig: {AnomalyDetectorFrequency: PT5M}
      KmsKeyArn: !GetAtt Key.Arn
      MetricSetList:
        - MetricSetName: gases
          MetricList:
            - {MetricName: CO, AggregationFunction: AVG}
            - {MetricName: "SO2 [ppb]", AggregationFunction: SUM}
          DimensionList: [LOCATION_ID]
          MetricSetFrequency: PT5M
          Offset: "600"
          TimestampColumn: {ColumnName: TIMESTAMP, ColumnFormat: "yyyy-MM-dd HH:mm"}
          Timezone: !Ref Zone
          MetricSource:
            S3SourceConfig:
              RoleArn: !GetAtt Role.Arn
              TemplatedPathList: [!Sub "s3://${Bucket}/gases/{{yyyyMMdd}}/{{HHmm}}/"]
              HistoricalDataPathList: [!Join ["", ["s3://", !Ref Bucket, "/history/"]]]
              FileFormatDescriptor:
                CsvFormatDescriptor: {ContainsHeader: "true", Delimiter: ";", Charset: ISO-8859-1}
  Alert:
    Type: AWS::LookoutMetrics::Alert
    Properties:
      AlertName: Night shift
      AlertSensitivityThreshold: !FindInMap [Thresholds, !Ref Stage, severity]
      AnomalyDetectorArn: !Ref Detector
      Action:
        LambdaConfiguration: {RoleArn: r, LambdaArn: "arn:aws:lambda:eu-west-1:111122223333:function:page"}
  OnlyTested:
    Type: AWS::LookoutMetrics::Alert
    Condition: IsTest
    Properties: {AnomalyDetectorArn: !Ref Detector, AlertSensitivityThreshold: 1, Action: {}}
"""

LOOKOUT_DETECTOR: dict[str, Any] = {
    "AnomalyDetectorArn": DETECTOR_ARN,
    "AnomalyDetectorName": "plant-emissions",
    "AnomalyDetectorConfig": {"AnomalyDetectorFrequency": "PT1H"},
    "Status": "ACTIVE",
}
LOOKOUT_METRIC_SET: dict[str, Any] = {
    "MetricSetArn": f"{DETECTOR_ARN}:MetricSet",
    "AnomalyDetectorArn": DETECTOR_ARN,
    "MetricSetName": "orders",
    "MetricSetDescription": "Orders by country",
    "Offset": 3600,
    "MetricList": [
        {"MetricName": "revenue", "AggregationFunction": "SUM"},
        {"MetricName": "latency", "AggregationFunction": "AVG", "Namespace": "Shop"},
    ],
    "TimestampColumn": {"ColumnName": "at", "ColumnFormat": "yyyy-MM-dd'T'HH:mm:ss'Z'"},
    "DimensionList": ["country", "channel"],
    "MetricSetFrequency": "PT1H",
    "Timezone": "UTC",
    "MetricSource": {"AthenaSourceConfig": {"DatabaseName": "shop", "TableName": "orders"}},
    "DimensionFilterList": [
        {"Name": "country", "FilterList": [{"DimensionValue": "DE", "FilterOperation": "EQUALS"}]}
    ],
}
ALERT_ARN = f"arn:aws:lookoutmetrics:{ACCOUNT}:Alert:sales"
LOOKOUT_ALERTS: dict[str, Any] = {
    "AlertSummaryList": [
        {
            "AlertArn": ALERT_ARN,
            "AnomalyDetectorArn": DETECTOR_ARN,
            "AlertName": "sales",
            "AlertSensitivityThreshold": 50,
            "AlertType": "SNS",
            "AlertStatus": "INACTIVE",
        }
    ]
}
LOOKOUT_ALERT: dict[str, Any] = {
    "Alert": {
        **LOOKOUT_ALERTS["AlertSummaryList"][0],
        "Action": {
            "SNSConfiguration": {
                "RoleArn": "r",
                "SnsTopicArn": f"arn:aws:sns:{ACCOUNT}:sales",
                "SnsFormat": "SHORT_TEXT",
            }
        },
        "AlertFilters": {
            "MetricList": ["revenue", "gone"],
            "DimensionFilterList": [{"DimensionName": "channel", "DimensionValueList": ["web", "app"]}],
        },
    }
}


def alarm(name: str, machine: str, **changed: Any) -> dict[str, Any]:
    """Return an alarm of a machine's load."""
    metric = {
        "Namespace": "Plant/Presses",
        "MetricName": "Load",
        "Dimensions": [{"Name": "Machine", "Value": machine}],
    }
    return {
        "AlarmName": name,
        "ActionsEnabled": True,
        "OKActions": [],
        "AlarmActions": [f"arn:aws:sns:{ACCOUNT}:plant"],
        "EvaluationPeriods": 1,
        "ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold",
        "TreatMissingData": "missing",
        "ThresholdMetricId": "band",
        "Metrics": [
            {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Average"}},
            {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)"},
        ],
        **changed,
    }


CLOUDWATCH_DETECTORS: dict[str, Any] = {
    "AnomalyDetectors": [
        {
            "SingleMetricAnomalyDetector": {
                "Namespace": "Plant/Presses",
                "MetricName": "Load",
                "Dimensions": [{"Name": "Machine", "Value": "7"}],
                "Stat": "Average",
            },
            "Configuration": {
                "MetricTimezone": "Europe/Berlin",
                "ExcludedTimeRanges": [
                    {"StartTime": "2026-08-01T00:00:00+00:00", "EndTime": "2026-08-02T00:00:00+00:00"}
                ],
            },
        },
        {"MetricMathAnomalyDetector": {"MetricDataQueries": []}},
    ]
}
CLOUDWATCH_TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Hot": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "ComparisonOperator": "GreaterThanUpperThreshold",
                "EvaluationPeriods": 3,
                "DatapointsToAlarm": 2,
                "TreatMissingData": "breaching",
                "OKActions": [{"Ref": "Topic"}],
                "AlarmActions": [{"Ref": "Topic"}],
                "ThresholdMetricId": "ad",
                "Metrics": [
                    {"Id": "ad", "Expression": "ANOMALY_DETECTION_BAND(m, 3)"},
                    {
                        "Id": "m",
                        "MetricStat": {
                            "Metric": {"Namespace": "Kiln", "MetricName": "Heat"},
                            "Period": "60",
                            "Stat": "p99",
                        },
                    },
                ],
            },
        },
        "Fixed": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {"MetricName": "Heat", "Namespace": "Kiln", "Threshold": 900},
        },
        "Topic": {"Type": "AWS::SNS::Topic"},
    }
}

OPENSEARCH_DETECTOR: dict[str, Any] = {
    "_id": "x",
    "anomaly_detector": {
        "name": "Server errors",
        "description": "Errors by host",
        "time_field": "@timestamp",
        "indices": ["logs-*"],
        "feature_attributes": [
            {
                "feature_name": "errors",
                "feature_enabled": True,
                "aggregation_query": {"e": {"value_count": {"field": "error.keyword"}}},
            },
            {
                "feature_name": "latency",
                "feature_enabled": True,
                "aggregation_query": {"l": {"avg": {"field": "ms"}}},
            },
            {
                "feature_name": "clients",
                "feature_enabled": True,
                "aggregation_query": {"c": {"cardinality": {"field": "ip.keyword"}}},
            },
            {"feature_name": "off", "feature_enabled": False, "aggregation_query": {}},
            {
                "feature_name": "share",
                "feature_enabled": True,
                "aggregation_query": {"s": {"percentiles": {"field": "ms"}}},
            },
        ],
        "filter_query": {"term": {"env": "prod"}},
        "detection_interval": {"period": {"interval": 10, "unit": "Minutes"}},
        "window_delay": {"period": {"interval": 1, "unit": "MINUTES"}},
        "category_field": ["host.keyword"],
        "shingle_size": 8,
        "imputation_option": {
            "method": "FIXED_VALUES",
            "default_fill": [{"feature_name": "errors", "data": 0}],
        },
        "rules": [
            {
                "action": "IGNORE_ANOMALY",
                "conditions": [
                    {
                        "feature_name": "latency",
                        "threshold_type": kind,
                        "operator": "LTE",
                        "value": 0.2,
                    }
                    for kind in ("ACTUAL_OVER_EXPECTED_RATIO", "EXPECTED_OVER_ACTUAL_RATIO")
                ],
            },
            {
                "action": "IGNORE_ANOMALY",
                "conditions": [{"feature_name": "errors", "threshold_type": "ACTUAL_IS_BELOW_EXPECTED"}],
            },
            {
                "action": "IGNORE_ANOMALY",
                "conditions": [
                    {
                        "feature_name": "errors",
                        "threshold_type": "ACTUAL_OVER_EXPECTED_MARGIN",
                        "operator": "LTE",
                        "value": 5,
                    }
                ],
            },
        ],
    },
}

ADVISOR_FEED: dict[str, Any] = {
    "dataFeedId": "f",
    "dataFeedName": "Shop sales",
    "dataFeedDescription": "Sales by city",
    "metrics": [{"metricId": "m1", "metricName": "revenue"}, {"metricId": "m2", "metricName": "cost"}],
    "dimension": [{"dimensionName": "city"}],
    "dataSourceType": "SqlServer",
    "timestampColumn": "day",
    "startOffsetInSeconds": 7200,
    "granularityName": "Custom",
    "granularityAmount": 1800,
    "needRollup": "NeedRollup",
    "rollUpMethod": "Sum",
    "fillMissingPointType": "SmartFilling",
}
ADVISOR_DETECTIONS: dict[str, Any] = {
    "value": [
        {
            "anomalyDetectionConfigurationId": "c",
            "name": "strict",
            "metricId": "m1",
            "wholeMetricConfiguration": {
                "conditionOperator": "AND",
                "smartDetectionCondition": {
                    "sensitivity": 80,
                    "anomalyDetectorDirection": "Down",
                    "suppressCondition": {"minNumber": 3, "minRatio": 60},
                },
                "hardThresholdCondition": {"lowerBound": 0, "upperBound": 1e6},
                "changeThresholdCondition": {"changePercentage": 20, "shiftPoint": 1},
            },
            "seriesOverrideConfigurations": [{}],
        }
    ]
}
ADVISOR_HOOK: dict[str, Any] = {
    "hookType": "Email",
    "hookName": "Sales team",
    "hookParameter": {"toList": ["a@example.com", "b@example.com"]},
}


def text(document: object) -> str:
    """Return the file of a document: what is text already is a template."""
    return document if isinstance(document, str) else json.dumps(document)
