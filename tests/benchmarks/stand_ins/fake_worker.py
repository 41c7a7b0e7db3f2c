"""A worker that prepares and measures nothing; sleeps as a worker should, or misbehaves."""

import sys
import time

from benchmarks.contenders.protocol import Job, Prepared, serve


def prepare(job: Job) -> Prepared:
    print("what a library prints is no answer")
    if job.model == "unknown":
        raise ValueError("no such\nmodel")
    if job.model == "deadly":
        print("the last words", file=sys.stderr)
        sys.exit(3)
    begin = time.perf_counter()
    return Prepared(
        {"mode": job.mode, "environment": {}},
        lambda: {"seconds": time.perf_counter() - begin, "batch_size": job.batch_size},
    )


if __name__ == "__main__":
    serve(prepare)
