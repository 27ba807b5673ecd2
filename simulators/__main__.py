"""``python -m simulators`` serves the outside world; ``python -m simulators credentials`` prints its papers."""

import argparse
import json
import signal
import sys
from types import FrameType

from simulators.app import create_app
from simulators.credentials import issue_credentials
from simulators.serving import Server, serve


def main() -> int:
    """Read the command line and do as it says; returns the exit status."""
    wish = _parser().parse_args()
    if wish.command == "credentials":
        print(json.dumps(issue_credentials(wish.state, wish.base_url), ensure_ascii=False, indent=1))
        return 0
    signal.signal(signal.SIGTERM, _leave)
    try:
        server = Server(wish.port)
    except OSError as trouble:
        print(f"simulators: cannot listen on 127.0.0.1:{wish.port}: {trouble.strerror}", file=sys.stderr)
        return 1
    base_url = wish.base_url or f"http://127.0.0.1:{server.server_port}"
    serve(server, create_app(wish.state, wish.clock, wish.templates, base_url, wish.product_base_url))
    return 0


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("simulators", description=__doc__)
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--clock", help="file of the town's business clock")
    parser.add_argument("--templates", help="the product's message templates (JSON)")
    parser.add_argument("--product-base-url", default="http://127.0.0.1:8000")
    _add_common(parser, required=False)
    commands = parser.add_subparsers(dest="command")
    _add_common(
        commands.add_parser("credentials", help="print the product's settings as JSON"), required=True
    )
    return parser


def _add_common(parser: argparse.ArgumentParser, required: bool) -> None:
    # SUPPRESS keeps the subcommand from wiping what was said before it.
    parser.add_argument(
        "--state", required=required, default=argparse.SUPPRESS if required else ".simulators"
    )
    parser.add_argument("--base-url", required=required, default=argparse.SUPPRESS if required else "")


if __name__ == "__main__":
    sys.exit(main())
