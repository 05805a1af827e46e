import sys

import pytest

from forecast_cli.core.errors import UsageError
from forecast_cli.core.memory import free_memory, require_memory

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@linux
def test_some_memory_is_free():
    assert 2**20 < free_memory() < 2**50


@linux
def test_what_does_not_fit_is_refused_with_the_figure():
    require_memory(1000, "A table", "Take fewer rows.")
    with pytest.raises(UsageError, match=r"A table would need about 1,000,000.0 GB .* Take fewer"):
        require_memory(1e15, "A table", "Take fewer rows.")
