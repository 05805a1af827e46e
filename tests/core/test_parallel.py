"""Many pieces of work: in this process, in several, and on any backend of joblib."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import joblib
import pytest

from forecast_cli.core.parallel import cores, run_all


def square(number, place=None):
    return number**2


def where(number):
    return os.getpid(), threading.get_ident()


def threads(number):
    return os.environ.get("TF_NUM_INTRAOP_THREADS"), os.environ.get("OMP_NUM_THREADS")


def fail(number):
    raise ValueError(f"piece {number}")


PIECES = [(number,) for number in range(5)]


@pytest.mark.parametrize("jobs", [1, 2, None])
def test_every_piece_is_done_once(jobs):
    done = dict(run_all(square, PIECES, jobs=jobs))
    assert done == {number: number**2 for number in range(5)}


def test_one_job_runs_in_this_process_and_in_order():
    places = list(run_all(where, PIECES, jobs=1))
    assert [number for number, _ in places] == [0, 1, 2, 3, 4]
    assert {place for _, place in places} == {where(0)}


def test_several_jobs_share_the_cores_among_them():
    found = [said for _, said in run_all(threads, PIECES, jobs=2)]
    assert set(found) == {(str(max(1, cores() // 2)),) * 2}
    assert os.getpid() not in {place[0] for _, place in run_all(where, PIECES, jobs=2)}


def test_a_backend_that_somebody_registered_is_used():
    with joblib.parallel_config(backend="threading", n_jobs=2):
        places = [place for _, place in run_all(where, PIECES)]
    assert {process for process, _ in places} == {os.getpid()}
    assert threading.get_ident() not in {thread for _, thread in places}


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_goes_wrong_comes_out(jobs):
    with pytest.raises(ValueError, match="piece"):
        list(run_all(fail, PIECES, jobs=jobs))


def test_results_come_as_soon_as_they_are_there():
    running = run_all(square, PIECES, jobs=1)
    assert next(running) == (0, 0)
    running.close()


def test_linear_algebra_of_all_libraries_runs_on_one_thread():
    # In a process of its own, where SciPy, with a BLAS beside NumPy's, is not loaded before.
    script = (
        "from forecast_cli.core.parallel import one_thread\n"
        "with one_thread():\n"
        "    from scipy.linalg import cho_factor\n"
        "    from threadpoolctl import threadpool_info\n"
        "    print([each['num_threads'] for each in threadpool_info()])\n"
    )
    command = [sys.executable, "-c", script]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    assert set(json.loads(made.stdout)) == {1}


def test_workers_end_with_a_process_that_is_killed():
    code = "import os, time\nfrom tests.core.test_parallel import show_and_wait\n"
    code += "from forecast_cli.core.parallel import run_all\n"
    code += "list(run_all(show_and_wait, [(0,), (1,)], jobs=2))"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with process.stdout as pipe:
        workers = {int(pipe.readline()) for _ in range(2)}
        process.kill()
        process.wait()
        # The pipe is at its end when the last process that may write to it has ended.
        assert pipe.read() == ""
    assert len(workers) == 2


def show_and_wait(number):
    os.write(1, f"{os.getpid()}\n".encode())
    threading.Event().wait()
