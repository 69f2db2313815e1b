"""What `minet`, `--help` and `minet doctor` show."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from minet_cli.main import COMMANDS, cli, run
from minet_core import doctor
from minet_core.models import weight_files as files

ROOT = Path(__file__).parents[2]
SECTIONED = ("detect", "export", "eval")


def shown(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments, prog_name="minet")
    assert result.exit_code == 0
    return result.output


def command_of(name: str) -> click.Command:
    return cli.get_command(click.Context(cli), name)


def test_without_a_command_three_examples_are_shown():
    assert len(re.findall(r"^  minet [a-z]+", shown(), re.MULTILINE)) == 3


def test_a_file_in_the_place_of_a_command_is_understood(capsys):
    assert run(["street.mp4"]) == 2
    assert "did you mean `minet detect street.mp4`?" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_examples_of_the_help_can_be_typed(name):
    text = shown(*filter(None, [name]), "--help")
    for line in re.findall(r"^  minet ([a-z]+ .*?)(?:   .*)?$", text, re.MULTILINE):
        command, *arguments = shlex.split(line)
        context = click.Context(command_of(command), info_name=command)
        command_of(command).make_parser(context).parse_args(arguments)


@pytest.mark.parametrize("name", SECTIONED)
def test_every_option_is_under_one_heading(name):
    command: Any = command_of(name)
    text = shown(name, "--help")
    assert [line[:-1] for line in text.splitlines() if re.match(r"[A-Z].*:$", line)] == list(
        command.sections
    )
    told = [name for names in command.sections.values() for name in names]
    assert sorted(told) == sorted(o.name for o in command.params if isinstance(o, click.Option))
    for option in command.params:
        if isinstance(option, click.Option):
            flag = max(option.opts, key=len)
            assert len(re.findall(rf"^  (?:-\w, )?{flag}\b(?!-)", text, re.MULTILINE)) == 1


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from minet_cli.main import run\n"
        "run([]); run(['doctor', '--help']); run(['eval', '--help']); run(['export', '--help'])\n"
        "print(sorted({'torch', 'cv2', 'av', 'numpy', 'pandas'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.decode().splitlines()[-1] == "[]"


class TestDoctor:
    def test_it_shows_what_a_maintainer_asks_for(self):
        text = shown("doctor")
        for name in ("Python", "devices", "torch", "FFmpeg", "reads", "writes libx264"):
            assert re.search(rf"^  {name} +\S", text, re.MULTILINE)
        assert text.count("as its card says") == 2
        assert text.count("used on CPUs") == 2

    def test_it_says_what_a_missing_package_would_give(self, monkeypatch):
        def nothing_more(name):
            if name in doctor.OPTIONAL:
                raise PackageNotFoundError(name)
            return version(name)

        monkeypatch.setattr(doctor, "version", nothing_more)
        text = shown("doctor")
        for package, use in doctor.OPTIONAL.items():
            assert f"missing; for {use}: pip install {package}" in text

    def test_a_package_that_cannot_be_imported_ends_in_one_line(self, monkeypatch, capsys):
        monkeypatch.setitem(doctor.REQUIRED, "torch", "no_such_module")
        assert run(["doctor"]) == 1
        output = capsys.readouterr()
        assert "missing" in output.out
        assert output.err == "minet: error: minet cannot work here because of torch\n"

    def test_what_can_be_done_without_is_no_error(self, monkeypatch):
        monkeypatch.setitem(doctor.REQUIRED, "opencv-python", "no_such_module")
        assert "--no-video" in shown("doctor")

    def test_changed_weights_are_found(self, tmp_path, monkeypatch, capsys):
        folder = shutil.copytree(files.weights_folder(), tmp_path / "weights")
        (folder / "minet-nano-identify.safetensors").write_bytes(b"cut short")
        monkeypatch.setattr(files, "weights_folder", lambda: folder)
        assert run(["doctor"]) == 1
        output = capsys.readouterr()
        assert "not the file of its card: reinstall minet" in output.out
        assert output.err.endswith("because of minet-nano-identify.safetensors\n")

    def test_its_list_is_that_of_the_page_and_of_the_extras(self):
        page = (ROOT / "docs/install.md").read_text(encoding="utf-8")
        rows = re.findall(r"^\| `([\w-]+)` \| (.*) \|$", page, re.MULTILINE)
        assert dict(rows) == doctor.OPTIONAL
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        extras = project["optional-dependencies"]
        names = {re.match(r"[\w-]+", line)[0] for lines in extras.values() for line in lines}
        assert doctor.OPTIONAL.keys() <= names

    def test_it_looks_at_everything_that_is_installed_with_minet(self):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        needed = {re.match(r"[\w-]+", line)[0].lower() for line in project["dependencies"]}
        assert needed == set(doctor.REQUIRED)
