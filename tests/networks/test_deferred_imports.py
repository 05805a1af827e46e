"""Parts of TensorFlow that are deferred come whole, and to every thread."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from forecast_cli.networks import deferred_imports

# The public names of TensorFlow and Keras, namespace by namespace.
NAMES = """
import tensorflow, keras, types
for place, top in (("tf", tensorflow), ("keras", keras), ("tf.keras", tensorflow.keras)):
    for name in sorted(vars(top)):
        part = getattr(top, name)
        if isinstance(part, types.ModuleType) and name[0] != "_" and name != "src":
            print(place, name, *sorted(each for each in dir(part) if not each.startswith("_")))
"""


def printed(code: str) -> dict[str, set[str]]:
    """The lines that a fresh interpreter prints: their first two words, and the others."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    return {f"{line[0]}.{line[1]}": set(line[2:]) for line in lines}


@pytest.mark.tf
@pytest.mark.slow
def test_every_namespace_of_tensorflow_and_keras_has_its_names():
    plain, ours = printed(NAMES), printed("import forecast_cli.networks\n" + NAMES)
    assert len(plain) > 60
    missing = {name: names - ours.get(name, set()) for name, names in plain.items()}
    assert not {name: names for name, names in missing.items() if names}


@pytest.mark.tf
@pytest.mark.slow
def test_what_is_loaded_later_writes_nothing():
    code = "import forecast_cli.networks, keras, sys\n"
    code += "for each in list(sys.modules.values()): dir(each)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


@pytest.mark.tf
def test_a_training_loads_no_matplotlib_and_no_scikit_learn():
    code = "import forecast_cli.networks, keras, sys\nprint('loaded', 'all', *sys.modules)"
    loaded = printed(code)["loaded.all"]
    assert "keras" in loaded
    assert not loaded & {"matplotlib", "sklearn"}


def test_threads_that_use_a_deferred_module_at_once_all_find_its_names(tmp_path, monkeypatch):
    (tmp_path / "slowly.py").write_text("import time\nfirst = 1\ntime.sleep(0.2)\nlast = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(deferred_imports, "PACKAGES", ("slowly",))
    monkeypatch.delitem(sys.modules, "slowly", raising=False)
    with deferred_imports.deferred():
        import slowly
    assert "first" not in vars(slowly)

    def read(wait: float) -> int:
        time.sleep(wait)
        return slowly.last

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(read, (0.0, 0.05, 0.1, 0.15))) == [2] * 4
    assert "__getattr__" not in vars(slowly)
    with pytest.raises(AttributeError, match="has no attribute 'middle'"):
        _ = slowly.middle


def test_a_module_that_fails_to_load_fails_each_time(tmp_path, monkeypatch):
    (tmp_path / "failing.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(deferred_imports, "PACKAGES", ("failing",))
    with deferred_imports.deferred():
        import failing
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="no_such_library"):
            _ = failing.anything
    monkeypatch.delitem(sys.modules, "failing")
