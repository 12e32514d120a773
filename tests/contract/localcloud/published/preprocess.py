"""A script-mode preprocessor, written as the samples for SageMaker's scikit-learn image are: it imports what
the image has."""

import argparse
import json
import os
from io import StringIO
from pathlib import Path

import joblib
import pandas as pd
from sagemaker_containers.beta.framework import content_types, encoders, env, modules, transformer, worker
from sklearn.preprocessing import StandardScaler

assert all((content_types, env, modules, transformer))

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--output-data-dir", default=os.environ["SM_OUTPUT_DATA_DIR"])
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    arguments = parser.parse_args()
    rows = pd.concat([pd.read_csv(path, header=None) for path in Path(arguments.train).iterdir()])
    joblib.dump(StandardScaler().fit(rows.to_numpy()), Path(arguments.model_dir, "model.joblib"))


def input_fn(input_data, content_type):
    if content_type == "text/csv":
        return pd.read_csv(StringIO(input_data), header=None)
    raise ValueError(f"{content_type} not supported by script!")


def predict_fn(input_data, model):
    return model.transform(input_data.to_numpy())


def output_fn(prediction, accept):
    if accept == "application/json":
        instances = [{"features": row} for row in prediction.tolist()]
        return worker.Response(json.dumps({"instances": instances}), mimetype=accept)
    if accept == "text/csv":
        return worker.Response(encoders.encode(prediction, accept), mimetype=accept)
    raise RuntimeError(f"{accept} accept type is not supported by this script.")


def model_fn(model_dir):
    return joblib.load(Path(model_dir, "model.joblib"))
