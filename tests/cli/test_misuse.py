"""An unknown name on the command line is answered with the nearest one."""

import pytest


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("trian", 'There is no command "trian". Did you mean train? See forecast --help.'),
        ("zzz", 'There is no command "zzz". See forecast --help.'),
        ("train --colum x", "No such option: --colum. Did you mean --column?"),
        ("train a.csv --hor 3", "Did you mean --horizon"),
        ("train --zz", "No such option: --zz. See forecast train --help."),
        ("train a.csv --cell lstmm", 'Invalid --cell "lstmm". Did you mean "lstm"?'),
        ("predict --horizon 0", "Invalid --horizon 0: must be at least 1."),
        ("train a.csv --epochs x", 'Invalid --epochs "x": must be a whole number.'),
        ("plot x --kind forcast", 'Invalid --kind "forcast". Did you mean "forecast"?'),
        ("tune none.csv --sampler tpee", 'Did you mean "tpe"?'),
    ],
)
def test_the_nearest_name_is_proposed(run, words, message):
    code, out, err = run(*words.split())
    assert (code, out) == (2, "")
    assert err.startswith("error: ") and message in err
