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


def test_list_starts_no_go(kit):
    kit.go()
    run("list")
    assert kit.go_calls("") == 0
