"""Workers of a benchmark that prepare and measure in this process."""

import json

from benchmarks.contenders import jaxact_worker, workers


class Here:
    """Stands for `workers.Worker` of a contender whose worker is jaxact's."""

    def __init__(self, contender):
        assert contender.command[-1] == workers.OURS

    def prepare(self, job):
        self._prepared = jaxact_worker.prepare(job)
        return json.loads(json.dumps(self._prepared.details))

    def measure(self):
        return json.loads(json.dumps(self._prepared.measure()))

    def cpu_seconds(self):
        return 0.0

    def close(self):
        """Nothing is to be ended."""


def use(monkeypatch):
    """Has benchmarks measure so."""
    monkeypatch.setattr(workers, "Worker", Here)
    monkeypatch.setattr(workers, "SETTLE_SECONDS", 0.0)
