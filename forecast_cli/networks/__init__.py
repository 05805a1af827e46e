"""Networks: the only folder that imports TensorFlow, and it does so without its chatter."""

import gc
import logging
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

from ..core.errors import UsageError
from ..core.libraries import collect_garbage_again, native_stderr_silenced
from .deferred_imports import deferred


def _without_chatter() -> AbstractContextManager[None]:
    """Keep what TensorFlow writes from the user; TF_CPP_MIN_LOG_LEVEL=0 shows it."""
    shown = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "0"
    return nullcontext() if shown else native_stderr_silenced()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage for a while: an import makes many objects, all of which stay."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            collect_garbage_again()


os.environ["KERAS_BACKEND"] = "tensorflow"
with _without_chatter(), _uncollected(), deferred():
    import tensorflow

# Functions are compiled again for each network on purpose.
logging.getLogger("tensorflow").setLevel(logging.ERROR)


def gpus() -> list[str]:
    """Return the names of the GPUs that a training would use."""
    return [
        str(tensorflow.config.experimental.get_device_details(each).get("device_name", each.name))
        for each in tensorflow.config.list_physical_devices("GPU")
    ]


def use_one_thread() -> None:
    """Let the operations of TensorFlow run on one thread each, in this process from now on.

    Several threads add the parts of a large product up in an order that depends on their number.

    Raises:
        UsageError: TensorFlow has run already, with several.
    """
    if os.environ.get("TF_NUM_INTRAOP_THREADS") == "1":
        return
    try:
        tensorflow.config.threading.set_intra_op_parallelism_threads(1)
    except RuntimeError:
        raise UsageError(
            "`deterministic=true` cannot be followed: TensorFlow has run in this process with "
            "several threads.",
            "Train with it before anything else that uses TensorFlow, or in a process of its own.",
        ) from None


def prefer_one_thread() -> None:
    """Do as `use_one_thread`; where TensorFlow has run already, it keeps its threads."""
    with suppress(UsageError):
        use_one_thread()
