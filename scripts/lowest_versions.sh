#!/usr/bin/env bash
# The package with the oldest versions that pyproject.toml allows of what it depends on: each is
# used once, by a command or by a test. It needs uv, and an index that has those versions.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
python=${PYTHON:-$root/.venv/bin/python}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$python" -m uv venv --quiet --python "$python" "$folder/environment"
install() {
    "$python" -m uv pip install --quiet --python "$folder/environment" "$@" 2> "$folder/reason"
}
# What only runs the tests is as new as it can be.
if ! { install --resolution lowest-direct -e '.[all]' && install pytest pytest-xdist hypothesis; }; then
    echo "lowest versions: not tested, they could not be installed: $(tail -n 1 "$folder/reason")" >&2
    exit 0
fi

"$folder/environment/bin/python" -m pytest --quiet -p no:cacheprovider \
    tests/model/test_upgrade.py tests/data/io/test_tables.py tests/data/time/test_calendars.py \
    tests/end_to_end/test_inspect_train_predict.py::test_sales_go_on_with_prices_and_events_to_be_filled_in

work=$folder/work
mkdir "$work"
cd "$work"
forecast() {
    echo "+ forecast $*"
    "$folder/environment/bin/forecast" "$@" > output 2> errors || { cat output errors >&2 && exit 1; }
}
prices=$root/sample_data/prices.csv
forecast train "$prices" --column Close --preset classic --horizon 3 --timesteps 7 --epochs 2
forecast predict --level 80
forecast export --output network
forecast plot model.forecast
forecast plot model.forecast --output chart.png
forecast report --output report.html
forecast backtest "$prices" --column Close --models theta,naive --horizon 3 --n-windows 2
forecast tune "$prices" --column Close --preset classic --horizon 3 --sampler cmaes --trials 2 \
    --epochs 1 --output best.toml
test -s network/network.onnx && test -s chart.png && test -s report.html && test -s best.toml
echo "lowest versions: all of it works"
