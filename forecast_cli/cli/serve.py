"""`forecast serve`."""

import gc
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from ..core.errors import UsageError
from ..core.libraries import how_to_install
from .console import Console
from .options import OutputOptions, option
from .spelling import as_flags, seconds

MEGABYTE = 1_000_000
STDERR = 2
# fmt: off
ModelFiles = Annotated[list[str], typer.Argument(metavar="MODEL...", show_default=False,
    help="Model files, each served by the name of its file, or as NAME=PATH.")]


@dataclass(frozen=True)
class ServeOptions:
    """The options of `serve`."""

    host: Annotated[str, option("--host", metavar="ADDRESS", default="127.0.0.1",
        help="Address to listen on; others than of this machine alone need a token or "
        "--no-auth.")] = "127.0.0.1"
    port: Annotated[int, option("--port", metavar="N", min=0, default="8000",
        help="Port to listen on; 0 for any that is free.")] = 8000
    token: Annotated[str | None, option("--token", metavar="TEXT", default="none",
        help="What clients must send as Authorization: Bearer TEXT. Other users of the machine may "
        "see it: rather set FORECAST_TOKEN, or name a file.")] = None
    token_file: Annotated[Path | None, option("--token-file", metavar="FILE",
        help="File that holds the token.")] = None
    no_auth: Annotated[bool, option("--no-auth",
        help="Answer anyone, at any address.")] = False
    max_body: Annotated[float, option("--max-body", metavar="MB", min=0.001, common=False,
        help="Largest body of a request, in megabytes.", default="8")] = 8.0
    max_rows: Annotated[int, option("--max-rows", metavar="N", min=1, common=False,
        help="Most rows of a table, and of a forecast.", default="100000")] = 100_000
    max_series: Annotated[int, option("--max-series", metavar="N", min=1, common=False,
        help="Most series of a forecast.", default="1000")] = 1_000
    max_horizon: Annotated[int, option("--max-horizon", metavar="N", min=1, common=False,
        help="Most steps ahead.", default="1000")] = 1_000
    timeout: Annotated[Any, option("--timeout", metavar="TIME", parser=seconds, common=False,
        help="Most time for a request, e.g. 30s.", default="10s")] = "10s"
    workers: Annotated[int | None, option("--workers", metavar="N", min=1, common=False,
        help="Forecasts that are computed at a time.", default="cores")] = None
    queue: Annotated[int, option("--queue", metavar="N", min=0, common=False,
        help="Requests that may wait for a worker; more are answered with 503.",
        default="32")] = 32
    connections: Annotated[int, option("--connections", metavar="N", min=1, common=False,
        help="Connections that are answered; requests on more get 503.", default="256")] = 256
# fmt: on


def serve(output_options: OutputOptions, options: ServeOptions, models: ModelFiles) -> None:
    """Answer requests for forecasts over HTTP.

    POST /v1/models/NAME/predict takes rows as CSV or JSON; / is a page that forecasts a CSV which
    is dropped there; /docs lists all addresses. A model is read again when its file is replaced.
    Ctrl-C and SIGTERM end it once the requests at work are answered.

    Examples:
        forecast serve model.forecast
        forecast serve sales.forecast energy=models/latest.forecast --port 9000
        forecast serve model.forecast --host 0.0.0.0 --token-file token
    """
    token = _token(options)
    # A server runs for long; and small networks are faster in one thread each.
    gc.enable()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        from ..api.serve import server
        from ..api.serve.app import Service
    except ImportError as error:
        raise UsageError(
            f"The library {error.name} is not installed.", how_to_install("serve")
        ) from None
    from ..api.serve.gate import LOCAL, Access
    from ..api.serve.log import Log
    from ..api.serve.models import open_models

    log = Log(_write, quiet=output_options.quiet)
    served = open_models(models, log.tell)
    opened = server.open_socket(options.host, options.port)
    names = None if token or options.no_auth else (*LOCAL, options.host.strip("[]").lower())
    service = Service(served, Access(token, names), _limits(options), log, as_flags)
    url = _address(options.host, opened.getsockname()[1])
    server.run(
        service, opened, lambda: _started(Console(output_options), log, url, [*served.served])
    )
    log.tell("stopped")
    log.close()


def _started(console: Console, log: Any, url: str, names: list[str]) -> None:
    """Say that the server takes requests at an address, for models of these names."""
    if console.output_options.json:
        console.document({"url": url, "models": names})
    elif console.interactive:
        console.say(f"serving {', '.join(names)} at {url} (Ctrl-C ends it)")
    log.tell("started", url=url, models=names)
    # What was loaded stays: it need not be looked through for garbage.
    gc.collect()
    gc.freeze()


def _token(options: ServeOptions) -> str | None:
    """Return the token that clients must send, None for none; refuse what leaves a server open."""
    from ..api.serve.gate import SHORTEST, is_local

    if options.token is not None and options.token_file is not None:
        raise UsageError("There are two tokens.", "Pass `token` or `token_file`.")
    token = options.token
    if options.token_file is not None:
        try:
            token = options.token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise UsageError(f"{options.token_file} cannot be read: {why}.") from None
    if token is not None and (len(token) < SHORTEST or not token.isascii() or " " in token):
        raise UsageError(
            f"A token must have at least {SHORTEST} characters of ASCII, without blanks.",
            "Make one: python -c 'import secrets; print(secrets.token_urlsafe())'",
        )
    if token is not None and options.no_auth:
        raise UsageError("There is a token, and `no_auth` asks for none.", "Pass one of the two.")
    if token is None and not options.no_auth and not is_local(options.host):
        raise UsageError(
            f"At {options.host} the server can be reached from other machines, and there is no "
            "token.",
            "Pass `token_file=FILE`; or `no_auth=true` to answer anyone.",
        )
    return token


def _limits(options: ServeOptions) -> Any:
    """Return what a request may ask for."""
    from ..api.serve.limits import Limits
    from ..core.parallel import cores

    return Limits(
        body=int(options.max_body * MEGABYTE),
        rows=options.max_rows,
        series=options.max_series,
        horizon=options.max_horizon,
        seconds=options.timeout,
        workers=options.workers or cores(),
        queue=options.queue,
        connections=options.connections,
    )


def _address(host: str, port: int) -> str:
    """Return the address of the server for a browser.

    >>> _address("::1", 8000)
    'http://[::1]:8000'
    """
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _write(text: str) -> None:
    """Write lines of the log past the buffer of stderr, for which the end of the process waits."""
    data = text.encode()
    with suppress(OSError):
        while data:
            data = data[os.write(STDERR, data) :]
