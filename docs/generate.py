"""Writes the generated parts of the documents: `make docs`; `--check` only compares.

* docs/reference/commands.md from the commands themselves
* docs/reference/aws.md from the tables of prices and permissions
* between markers in README.md and README.ko.md: the table of docs/measured.json and the terminal
  capture of docs/capture.txt, the same in both
"""

from __future__ import annotations

import itertools
import json
import re
import sys
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import figures  # noqa: E402 - the folder above is not installed
from mlops_infra.cli.main import PROGRAM, cli  # noqa: E402
from mlops_infra.plan.aws.permissions import load_actions  # noqa: E402
from mlops_infra.plan.aws.prices import load_prices  # noqa: E402

REFERENCE = ROOT / "docs" / "reference" / "commands.md"
AWS = ROOT / "docs" / "reference" / "aws.md"
MEASURED = ROOT / "docs" / "measured.json"
CAPTURE = ROOT / "docs" / "capture.txt"
READMES = ("README.md", "README.ko.md")

HEADINGS = {
    "README.md": ("What", "Measured", "Goal"),
    "README.ko.md": ("항목", "측정값", "목표"),
}
KOREAN = {
    "up_cold": "`make up STACK=core`, 빈 캐시에서(모든 바이너리를 컴파일)",
    "up_warm": "`make up STACK=core`, 캐시가 있을 때(모든 Pod가 Ready가 될 때까지)",
    "control_plane": "컨트롤 플레인 준비",
    "node": "노드 준비(같은 시작점 기준)",
    "up_again": "변경이 없는 `mlops-infra up -s core`",
    "verify": "`mlops-infra verify -s core`",
    "down": "`make down STACK=core`",
    "aws_teardown_small": "AWS의 리소스 10개 철거(에뮬레이터)",
    "aws_teardown_large": "AWS의 리소스 200개 철거(에뮬레이터)",
    "aws_versions": "버킷에서 지우는 버전 수(에뮬레이터)",
    "check": "`mlops-infra check`",
    "help": "`mlops-infra --help`",
    "memory": "core 전체 메모리(PSS)",
    "whole_up_cold": "`make up`(sandbox 전체), 캐시 없음",
    "whole_up_warm": "`make up`(sandbox: 전체), 캐시가 있을 때",
    "whole_up_again": "변경이 없는 `mlops-infra up -s sandbox`",
    "whole_verify": "`make verify`: 모델의 전 생애",
    "whole_memory": "샌드박스 전체 메모리(PSS)",
    "whole_down": "`make down`",
    "bundle_fetch": "번들 가져오기, 가장 빠른 경쟁 도구의 시간 대비",
    "bundle_push": "번들 푸시, 가장 빠른 경쟁 도구의 시간 대비",
    "bundle_push_again": "이미 있는 이미지 100개를 다시 푸시",
    "bundle_memory": "가져오기와 푸시의 최대 메모리",
    "aws_graph_first": "aws-prod 그래프의 첫 생성(SDK import 포함)",
    "aws_graph": "aws-prod 그래프 생성, 리소스 100개당",
    "aws_graph_large": "엔드포인트 40개를 더한 그래프, 리소스 100개당",
    "bare_per_second": "온라인: 코어 하나의 단독 MLServer 프로세스",
    "bare_p50": "같은 조건, 응답 시간 중앙값",
    "bare_p99": "같은 조건, 99 백분위",
    "online_per_second": "온라인: 게이트웨이와 KServe Pod, 같은 모델과 부하",
    "online_p50": "같은 조건, 응답 시간 중앙값",
    "online_p99": "같은 조건, 99 백분위",
    "online_errors": "같은 조건, 실패한 응답",
    "scale_wanted": "부하 시작부터 오토스케일러가 두 번째 Pod를 요구할 때까지",
    "scale_ready": "부하 시작부터 두 번째 Pod가 Ready일 때까지",
    "scale_errors": "그동안 실패한 응답",
    "not measured": "아직 측정하지 않음",
    "under": "미만",
}
PENDING = {
    "README.md": "*(no run has been captured yet: `python -m bench.capture`)*",
    "README.ko.md": "*(아직 실행 기록이 없습니다: `python -m bench.capture`)*",
}

WHOLE = {
    "README.md": "Shortened; the whole of it is in [docs/capture.txt](docs/capture.txt).",
    "README.ko.md": "일부를 줄였습니다. 전체는 [docs/capture.txt](docs/capture.txt)에 있습니다.",
}
LONGEST_LIST = 6


def main(arguments: list[str]) -> int:
    """Write what differs; with `--check`, name it and return 1."""
    wanted = {REFERENCE: reference(), AWS: aws_tables()}
    for name in READMES:
        wanted[ROOT / name] = filled(name, (ROOT / name).read_text(encoding="utf-8"))
    stale = [f for f, text in wanted.items() if not f.exists() or f.read_text("utf-8") != text]
    if "--check" in arguments:
        for file in stale:
            print(f"{file.relative_to(ROOT)} is not as generated; next: make docs")
        return int(bool(stale))
    for file in stale:
        file.write_text(wanted[file], encoding="utf-8")
        print(f"wrote {file.relative_to(ROOT)}")
    return 0


def filled(name: str, text: str) -> str:
    """The README with the table and the capture between its markers."""
    for marker, content in (("measured", measured(name)), ("capture", capture(name))):
        text, found = re.subn(
            rf"(<!-- {marker}:begin -->\n).*?(<!-- {marker}:end -->)",
            lambda match, inner=content: f"{match[1]}{inner}\n{match[2]}",  # type: ignore[misc]
            text,
            flags=re.DOTALL,
        )
        if found != 1:
            raise SystemExit(f"{name}: expected the markers {marker}:begin and :end once")
    return text


def measured(name: str) -> str:
    """The table of figures, in the README's language."""
    read = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    korean = name.endswith(".ko.md")
    lines = ["| {} | {} | {} |".format(*HEADINGS[name]), "|---|---:|---:|"]
    for figure in figures.FIGURES:
        value = figures.shown(figure, read.get("figures", {}).get(figure.key))
        aim = figures.goal(figure)
        if korean:
            value = KOREAN.get(value, value)
            aim = f"{aim.removeprefix('under ')} {KOREAN['under']}" if aim != "-" else aim
        title = KOREAN[figure.key] if korean else figure.title
        lines.append(f"| {title} | {value} | {aim} |")
    if parts := read.get("parts"):
        date = ", ".join(sorted({part["date"] for part in parts.values()}))
        lines += ["", _machine(read["machine"], date, korean=korean)]
    return "\n".join(lines)


def _machine(machine: dict[str, object], date: str, *, korean: bool) -> str:
    if korean:
        return (
            f"코어 {machine['cores']}개, 메모리 {machine['memoryGB']} GB, "
            f"Linux {machine['kernel']}, {date}에 `make bench`로 측정."
        )
    return (
        f"Measured by `make bench` on {date}: {machine['cores']} cores, "
        f"{machine['memoryGB']} GB of memory, Linux {machine['kernel']}."
    )


def capture(name: str) -> str:
    """The terminal capture, shortened where it only counts, as a code block."""
    if not CAPTURE.exists():
        return PENDING[name]
    lines = shortened(CAPTURE.read_text(encoding="utf-8").rstrip().splitlines())
    return "\n".join(["```text", *lines, "```", "", WHOLE[name]])


def shortened(lines: list[str]) -> list[str]:
    """Without what steps say while they run, and with long lists of one kind cut in the middle."""
    told = [line for line in lines if not line.startswith(("    ", "... "))]
    kept: list[str] = []
    for first, group in itertools.groupby(told, key=lambda line: line.partition(" ")[0]):
        alike = list(group)
        if first and first != "ok" and len(alike) > LONGEST_LIST:
            alike[2:-1] = [f"           … {len(alike) - 3} more lines"]
        kept += alike
    return kept


def reference() -> str:
    """The reference of all commands."""
    context = click.Context(cli, info_name=PROGRAM)
    lines = ["# Commands", "", "Generated by `make docs` from the commands themselves.", ""]
    lines += [
        "Every command also takes `-v/--verbose` (traceback of an error) and `-h/--help`.",
        "",
    ]
    lines += [f"{cli.epilog}", ""]
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if command is not None:
            lines += _section(command, f"{PROGRAM} {name}", 2)
    return "\n".join(lines).rstrip() + "\n"


def aws_tables() -> str:
    """The list prices and the deployer's permissions, from the tables of the plan."""
    lines = ["# AWS: prices and permissions", "", "Generated by `make docs` from the tables.", ""]
    return "\n".join([*lines, *_prices(), "", *_permissions()]) + "\n"


def _prices() -> list[str]:
    table = load_prices()
    about = (
        f"US dollars, written down on {table.written}, without taxes, discounts and free tiers. "
        "What is not here is shown as unknown. `mlops-infra preview --cost -s STACK` adds them up."
    )
    head = "| region | item | size | price | for one | compared with a published list |"
    lines = ["## List prices", "", about, "", head, "|---|---|---|---:|---|---|"]
    for region, items in table.regions.items():
        if not items:
            lines.append(f"| {region} | everything | | unknown | | |")
        for item, found in items.items():
            checked = "yes" if found["checked"] else "no"
            for size, price in found.get("sizes", {"": found.get("price")}).items():
                told = f"{price:.6f}".rstrip("0").rstrip(".")
                lines.append(
                    f"| {region} | {item} | {size} | {told} | {found['unit']} | {checked} |"
                )
    return lines


def _permissions() -> list[str]:
    about = (
        "What each type of resource takes; `mlops-infra preview --permissions -s STACK` prints the "
        "policies of one stack, held to its names. Untried against IAM itself."
    )
    lines = ["## Permissions of a deployer", "", about, "", "| type | actions |", "|---|---|"]
    for name, allowed in load_actions().items():
        title = "`down` and `verify`" if name.startswith(":") else f"`{name}`"
        lines.append(f"| {title} | {', '.join(allowed)} |")
    return lines


def _section(command: click.Command, path: str, level: int) -> list[str]:
    context = click.Context(command, info_name=path)
    usage = " ".join(command.collect_usage_pieces(context))
    help_text = (command.help or "").replace("\b\n", "").strip()
    lines = [f"{'#' * level} {path}", "", help_text, ""]
    lines += ["```text", f"{path} {usage}", "```", ""]
    rows = [
        record
        for parameter in command.get_params(context)
        if not {"--verbose", "--help"} & set(parameter.opts)
        and (record := parameter.get_help_record(context)) is not None
    ]
    if rows:
        lines += ["| option | meaning |", "|---|---|"]
        lines += [f"| `{flags}` | {_cell(text)} |" for flags, text in rows]
        lines.append("")
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            lines += _section(command.commands[name], f"{path} {name}", level + 1)
    return lines


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
