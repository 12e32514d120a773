"""Runs the service's jobs in this process, as SageMaker lays their files out."""

import json
import shutil
import tarfile

import pytest

from containers.service import fit_job, predict_job, search_job, univariate_job


class Jobs:
    """Jobs over the files of a folder.

    A model's `code/` is left out: the archive that it is copied from is not there.
    """

    def __init__(self, folder, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._patch = patch
        self._count = 0
        patch.setattr(fit_job, "copy_serving_code", lambda program, destination: destination.mkdir())

    def train(self, algorithm, features, labels=None, chunks=2):
        """Search, if there are labels, and fit; return the archive of the model."""
        named = {"model_name": algorithm, "features": features}
        channels = {"features": self.folder / features}
        if labels:
            named["labels"] = labels
            channels["labels"] = self.folder / labels
            found = self.folder / "search"
            shutil.rmtree(found, ignore_errors=True)
            for chunk in range(chunks):
                share = {**named, "chunk": str(chunk), "chunks": str(chunks)}
                archive = self._training(search_job.search, channels, share)
                (found / str(chunk)).mkdir(parents=True)
                shutil.copy(archive, found / str(chunk))
            channels["search"] = found
        return self._training(fit_job.fit, channels, named)

    def predict(self, task, features, model, labels=None, charts=""):
        """Judge a table by a model; return the results' folder and the exit message."""
        inputs = {"features": self.folder / features, "model": model}
        inputs |= {"labels": self.folder / labels} if labels else {}
        return self._processing(
            predict_job.predict,
            inputs,
            TASK=task,
            FEATURES=features,
            MODEL=model.name,
            LABELS=labels or "",
            CHARTS=charts,
        )

    def univariate(self, method, features, parameters="{}"):
        """Judge the columns of a table by a rule; return the results' folder and the exit message."""
        inputs = {"features": self.folder / features}
        return self._processing(
            univariate_job.judge_columns,
            inputs,
            TASK="infer",
            FEATURES=features,
            METHOD=method,
            PARAMETERS=parameters,
        )

    def _root(self):
        self._count += 1
        root = self.folder / f"job-{self._count}"
        self._patch.setenv("SAGEMAKER_BASE_DIR", str(root))
        return root

    def _training(self, job, channels, hyperparameters):
        root = self._root()
        for name, source in channels.items():
            _lay(source, root / "input" / "data" / name)
        (root / "input" / "config").mkdir(parents=True)
        (root / "input" / "config" / "hyperparameters.json").write_text(json.dumps(hyperparameters))
        job()
        archive = root / "model.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(root / "model", ".")
        return archive

    def _processing(self, job, inputs, **settings):
        root = self._root()
        for name, source in inputs.items():
            _lay(source, root / "processing" / "input" / name)
        for name, value in {"PREDICTIONS": "predictions.csv", **settings}.items():
            self._patch.setenv(f"WATCHKEEPER_{name}", value)
        job()
        return root / "processing" / "output" / "results", json.loads(
            (root / "output" / "message").read_text()
        )


def _lay(source, folder):
    if source.is_dir():
        shutil.copytree(source, folder)
    else:
        folder.mkdir(parents=True)
        shutil.copy(source, folder)
