"""`mltox serve`: Perspective's contract on this machine."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from mltox.base.command_line import Parser
from mltox.base.entry import reporting_errors
from mltox.base.errors import UsageError, UserError
from mltox.base.logs import LogFormat, log_format_argument, set_up
from mltox.scoring.scale.beside import scale_beside
from mltox.scoring.scale.maps import FILE, ScoreMaps, read_scale
from serving.app import build
from serving.body import CLIENT_SECONDS
from serving.engine import DEFAULT_BUNDLE, Engine
from serving.feedback import open_feedback
from serving.keys import Keys, read_keys
from serving.server import Address, run
from serving.service import ContractService, Limits

log = logging.getLogger(__name__)

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
SWITCH_SECONDS = 0.001
"""How long a thread that scores may keep the interpreter from the one that answers."""

DESCRIPTION = """\
Answers what Google's Perspective API answered (commentanalyzer v1alpha1), from a model on this
machine: comments:analyze, comments:suggestscore, the discovery document and batches. Clients keep
their code and change one address; docs/serve.md has how, for each.

Reads:  a model bundle, and the score maps beside it (mltox calibrate).
Writes: nothing. No text is stored or logged. Suggested scores are accepted and dropped, unless
        --feedback says where to keep them.
Also:   /healthz, /metrics (Prometheus), /openapi.json.
"""
EXAMPLE = """\
example:
  mltox serve --port 8000
  curl localhost:8000/v1alpha1/comments:analyze \\
    -d '{"comment": {"text": "You fool"}, "requestedAttributes": {"TOXICITY": {}}}'
"""


def parser() -> argparse.ArgumentParser:
    made = Parser(prog="mltox serve", description=DESCRIPTION, epilog=EXAMPLE)
    add = made.add_argument
    add("--host", default=LOOPBACK_NAMES[0], help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=8000, help="port (default: %(default)s; 0: a free one)")
    add(
        "--bundle",
        default=str(DEFAULT_BUNDLE),
        help="model: a folder or gs:// path; default: the one that ships",
    )
    add(
        "--scale",
        choices=["perspective", "model"],
        help="perspective: scores on Perspective's scale where the bundle has a map, so that"
        " thresholds stay; model: its own probability. Default: perspective if there is a map",
    )
    add(
        "--map",
        type=Path,
        metavar="FILE",
        help=f"the score maps (default: {FILE} beside the bundle)",
    )
    add(
        "--keys",
        type=Path,
        metavar="FILE",
        help="API keys that are let in, one a line. Needed where others reach the server",
    )
    add(
        "--open",
        action="store_true",
        help="listen beyond this machine without keys, where something else keeps the door",
    )
    add("--tls-cert", type=Path, metavar="FILE", help="certificate chain (PEM)")
    add("--tls-key", type=Path, metavar="FILE", help="its private key (PEM)")
    add(
        "--public-url",
        metavar="URL",
        help="where clients reach the server, for the discovery document; default: as they asked",
    )
    add(
        "--proxies",
        metavar="ADDRESSES",
        help="proxies whose X-Forwarded-Proto is believed, comma-separated; *: all",
    )
    add(
        "--cors",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="a web page's origin that may call from a browser; several times; *: all",
    )
    add(
        "--feedback",
        metavar="FILE",
        help="keep suggested scores, with their texts: a file (JSON Lines), or"
        " pubsub:projects/P/topics/T",
    )
    add(
        "--batch-wait-ms",
        type=float,
        default=5.0,
        metavar="MS",
        help="how long a comment waits for others, at most (default: %(default)g)",
    )
    add(
        "--max-waiting",
        type=int,
        default=1_024,
        metavar="N",
        help="comments that may wait before 429 is answered (default: %(default)s)",
    )
    add(
        "--client-seconds",
        type=float,
        default=CLIENT_SECONDS,
        metavar="S",
        help="how long a client may take to send a request (default: %(default)g)",
    )
    add("--threads", type=int, default=0, help="CPU threads of the model (0: all)")
    log_format_argument(made)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    options = parser().parse_args(argv)
    return reporting_errors(lambda: serve(options))


def serve(options: argparse.Namespace) -> int:
    """Serves until a signal to stop. Raises UserError."""
    set_up(LogFormat(options.log_format))
    address = _address(options)
    keys = read_keys(options.keys) if options.keys else Keys()
    if address.host not in LOOPBACK_NAMES and not keys and not options.open:
        raise UsageError(
            f"--host {address.host} lets others in: give --keys FILE, or --open if something else"
            " asks who they are"
        )
    if not 0 <= options.batch_wait_ms <= 1_000 or options.max_waiting < 1:
        raise UsageError("--batch-wait-ms must be 0 to 1000, and --max-waiting at least 1")
    if options.client_seconds <= 0:
        raise UsageError("--client-seconds must be more than 0")
    engine = Engine(options.bundle, threads=options.threads)
    service = ContractService(
        engine,
        _scale(options, engine),
        keys=keys,
        keep=open_feedback(options.feedback),
        limits=Limits(batch_wait=options.batch_wait_ms / 1000, waiting=options.max_waiting),
    )
    sys.setswitchinterval(SWITCH_SECONDS)
    app = build(
        service,
        public_url=options.public_url,
        origins=options.cors,
        client_seconds=options.client_seconds,
    )
    run(app, address, options.client_seconds)
    return 0


def _address(options: argparse.Namespace) -> Address:
    if (options.tls_cert is None) != (options.tls_key is None):
        raise UsageError("--tls-cert and --tls-key go together")
    for file in (options.tls_cert, options.tls_key):
        if file is not None and not file.is_file():
            raise UserError(f"there is no file {file}")
    if not 0 <= options.port <= 65_535:
        raise UsageError(f"--port: {options.port} is no port")
    return Address(options.host, options.port, options.tls_cert, options.tls_key, options.proxies)


def _scale(options: argparse.Namespace, engine: Engine) -> ScoreMaps | None:
    """The maps to use. Without a map the model's own scale is taken, unless the other was named."""
    if options.scale == "model":
        return None
    if options.map:
        return read_scale(options.map, engine.sha256)
    if options.scale or (engine.folder / FILE).exists():
        return scale_beside(options.bundle, engine.sha256)
    log.info("no score map beside %s: scores are the model's own probabilities", engine.model)
    return None


if __name__ == "__main__":
    raise SystemExit(main())
