import json

from click.testing import CliRunner

from mlops_infra.cli.toolchain.group import command


def run(*arguments):
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def test_list_as_json_tells_what_is_where_and_why(kit):
    kit.go()
    run("install", "demo")
    demo, other, pair = json.loads(run("list", "--json").stdout)
    assert (demo["name"], demo["version"], demo["source"]) == ("demo", "v1.2.3", "cache")
    assert demo["origin"] == "built: example.org/demo v1.2.3"
    assert demo["size"] > 0
    assert demo["path"].endswith("/bin/demo")
    assert other["source"] is None
    assert pair["path"] is None


def test_list_for_people_names_what_is_missing_and_how_to_get_it(kit):
    out = run("list").stdout
    assert "3 missing; mlops-infra toolchain install demo other pair" in out


def test_list_names_what_has_no_archive_and_why(kit):
    kit.pin_shared("url: https://get.example/demo.tgz, sha256: aa")
    tools = (kit.root / "tools.yaml").read_text()
    kit.tools(tools.replace("      pair:\n", "      pair:\n        unpublished: it is an image\n"))
    lines = run("list").stdout.splitlines()
    told = [line for line in lines if "no archive" in line]
    assert told == ["pair: compiled, no archive: it is an image"]
    rows = {row["name"]: row["noArchive"] for row in json.loads(run("list", "--json").stdout)}
    assert rows == {"demo": None, "other": None, "pair": "it is an image"}


def test_list_starts_no_go(kit):
    kit.go()
    run("list")
    assert kit.go_calls("") == 0
