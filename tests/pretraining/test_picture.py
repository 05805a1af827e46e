"""The picture of the simulated families."""

import pytest

from pretraining.picture import FAMILIES, PATH, draw


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("picture") / "families.svg"
    draw(path)
    return path.read_text()


def test_every_family_has_a_panel(picture):
    assert picture.count('id="axes_') >= len(FAMILIES) + 1


def test_the_documentation_has_it():
    assert PATH.read_text().count('id="axes_') >= len(FAMILIES) + 1
