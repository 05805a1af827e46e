"""How good the forecasts are: ours, simple and classical ones, and the published figures.

A table for each suite:
  m4-hourly    414 hourly series, 48 steps, from the end of train
  m4-weekly    359 weekly series, 13 steps
  etth1        seven channels, 96 to 720 steps, every test window, standardized
  etth1-ot     its channel OT alone
  single       tables of single series and of sample_data/, with no settings at all
  short        short series of competitions, each by itself and as panels
  covariates   tables with covariates known ahead, beside others that read them
  random-walk  simulated ones and closing prices, where nothing can be learned
  all          all of them

PATH is a folder with m4/, ett/, single/, short/, messy/ and panel/. Everything is trained with
several seeds; the mean counts. The exit code is 1 where something was not reached.
"""

import sys
from argparse import SUPPRESS, Namespace
from collections.abc import Callable
from pathlib import Path

from common import options
from suites import covariates, ett, m4, short, single, walk
from suites.table import Asked, Table, show, write_details

SUITES: dict[str, Callable[[Asked], Table]] = {
    "m4-hourly": m4.measure_hourly,
    "m4-weekly": m4.measure_weekly,
    "etth1": ett.measure_all,
    "etth1-ot": ett.measure_ot,
    "single": single.measure,
    "short": short.measure,
    "covariates": covariates.measure,
    "random-walk": walk.measure,
}
QUICK = ("training.epochs=1", "training.steps_per_epoch=5")


def main() -> int:
    arguments = parse()
    asked = asked_of(arguments)
    names = list(SUITES) if arguments.suite == "all" else [arguments.suite]
    tables = {}
    for name in names:
        tables[name] = SUITES[name](asked)
        show(tables[name])
    if arguments.details:
        write_details(arguments.details, tables)
    return int(any(table.short for table in tables.values()))


def parse() -> Namespace:
    parser = options(__doc__, repeat=3)
    parser.add_argument("suite", choices=[*SUITES, "all"], metavar="SUITE")
    parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="the tables")
    parser.add_argument("--seeds", metavar="N[,N...]", help="[0 to --repeat - 1]")
    parser.add_argument("--preset", metavar="NAME", help="of our forecaster [its own default]")
    parser.add_argument(
        "--set", action="append", default=[], metavar="PATH=VALUE", help="as forecast train has it"
    )
    parser.add_argument("--without-classical", action="store_true", help="no statsforecast")
    parser.add_argument(
        "--only", metavar="NAME[,NAME...]", default="", help="these series or tables"
    )
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="single series at once [1]"
    )
    parser.add_argument(
        "--held-out", action="store_true", help="short: forecast the ends of training parts"
    )
    parser.add_argument("--details", type=Path, metavar="FILE", help="every figure as CSV")
    parser.add_argument("--quick", action="store_true", help=SUPPRESS)
    return parser.parse_args()


def asked_of(arguments: Namespace) -> Asked:
    """What the command line asks for."""
    seeds = tuple(range(arguments.repeat))
    if arguments.seeds:
        seeds = tuple(int(each) for each in arguments.seeds.split(","))
    return Asked(
        arguments.data.resolve(),
        seeds[:1] if arguments.quick else seeds,
        arguments.preset,
        (*arguments.set, *(QUICK if arguments.quick else ())),
        classical=not arguments.without_classical,
        only=tuple(each.strip() for each in arguments.only.split(",") if each.strip()),
        jobs=arguments.jobs,
        held_out=arguments.held_out,
        quick=arguments.quick,
    )


if __name__ == "__main__":
    sys.exit(main())
