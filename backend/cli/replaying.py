"""The command for those who doubt a draw. Citizens and journalists run it: it speaks their language."""

from collections.abc import Sequence
from pathlib import Path

import click
import orjson

from backend import booking
from backend.runtime import boot
from backend.store.unit import run_unit


@click.command("replay-draw")
@click.argument("release_id", required=False)
@click.option(
    "--file", "file", type=click.Path(path_type=Path),
    help="公开的记录文件（GET /mp/v1/releases/放号编号/record），不需要数据库。",
)  # fmt: skip
def replay_draw(release_id: str | None, file: Path | None) -> None:
    """重新计算一次摇号（或排队顺序），逐项核对；有任何一项不符时退出码为 1。"""
    if release_id is not None and file is None:
        checks = _from_books(release_id)
    elif file is not None and release_id is None:
        checks = _from_file(file)
    else:
        raise click.UsageError("请写放号编号，或用 --file 给出记录文件，二者选一")
    for check in checks:
        click.echo(f"{'一致' if check.agrees else '不符'}  {check.says}")
    wrong = sum(not check.agrees for check in checks)
    click.echo(f"共核对 {len(checks)} 项，{wrong} 项不符" if wrong else f"共核对 {len(checks)} 项，全部一致")
    raise SystemExit(1 if wrong else 0)


def _from_books(release_id: str) -> Sequence[booking.Check]:
    boot.must_be_fit()
    return run_unit(lambda u: booking.replay_release(u, release_id))


def _from_file(file: Path) -> Sequence[booking.Check]:
    try:
        return booking.replay(orjson.loads(file.read_bytes()))
    except OSError as fault:
        raise click.UsageError(f"读不到文件 {file}，请核对路径") from fault
    except orjson.JSONDecodeError as fault:
        raise click.ClickException(
            f"{file} 不是 JSON 文件，请重新下载记录（第 {fault.lineno} 行）"
        ) from fault


COMMANDS = (replay_draw,)
