"""The scripts of the checkout, with stand-ins for what they call."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from minet_cli.main import cli

ROOT = Path(__file__).parents[2]
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"

PIP = """#!/bin/sh
echo "$@" >> calls
case "$*" in
    *download.pytorch.org*) exit $REACHED ;;
    "-c import torchvision") exit $FITS ;;
esac
"""


class TestVenv:
    @pytest.fixture
    def checkout(self, tmp_path):
        """A checkout whose .venv has a stand-in for Python, which writes down how pip is called."""
        (tmp_path / "scripts").mkdir()
        for name in ("scripts/venv", "scripts/other-readers.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, tmp_path / name)
        programs = tmp_path / ".venv/bin"
        programs.mkdir(parents=True)
        for name in ("python", "pip"):
            (programs / name).write_text(PIP)
            (programs / name).chmod(0o755)
        return tmp_path

    def call(self, checkout, *, reached=True, fits=True, **variables):
        environment = {"PATH": os.environ["PATH"], "PYTHON": sys.executable, **variables}
        return subprocess.run(
            [checkout / "scripts/venv", "demo"],
            env=environment | {"REACHED": str(int(not reached)), "FITS": str(int(not fits))},
            capture_output=True,
            text=True,
            check=False,
        )

    def pip_calls(self, checkout):
        return (checkout / "calls").read_text().splitlines()

    def test_an_environment_is_made_once(self, checkout):
        assert self.call(checkout).returncode == 0
        assert self.call(checkout).returncode == 0
        (call,) = self.pip_calls(checkout)
        assert call.endswith("--editable .[demo]")

    def test_cpu_builds_come_first(self, checkout):
        done = self.call(checkout, MINET_TORCH="cpu")
        assert (done.returncode, done.stderr) == (0, "")
        first, _, second = self.pip_calls(checkout)
        assert first.endswith(f"--index-url {CPU_BUILDS} torch torchvision")
        assert CPU_BUILDS not in second

    @pytest.mark.parametrize("trouble", [{"reached": False}, {"fits": False}])
    def test_without_their_index_it_says_so_and_takes_others(self, checkout, trouble):
        done = self.call(checkout, MINET_TORCH="cpu", **trouble)
        assert done.returncode == 0
        assert "CPU builds cannot be had from its index" in done.stderr
        *_, removal, last = self.pip_calls(checkout)
        assert "uninstall" in removal
        assert removal.endswith("torch torchvision")
        assert last.endswith("--editable .[demo]")

    def test_another_build_is_refused(self, checkout):
        done = self.call(checkout, MINET_TORCH="cuda")
        assert done.returncode == 1
        assert done.stderr == "MINET_TORCH is cpu, or not set; not cuda\n"
        assert not (checkout / "calls").exists()


class TestDemo:
    def test_it_ends_with_a_page_and_three_commands(self, tmp_path):
        checkout = tmp_path / "a clone"
        programs = checkout / ".venv/bin"
        programs.mkdir(parents=True)
        (checkout / "scripts").mkdir()
        shutil.copy(ROOT / "scripts/demo", checkout / "scripts/demo")
        for path in (checkout / "scripts/venv", programs / "python", programs / "minet"):
            path.write_text('#!/bin/sh\necho "$@" >> calls\necho clip.mp4\n')
            path.chmod(0o755)
        done = subprocess.run(
            [checkout / "scripts/demo", "--score", "0.5"],
            capture_output=True,
            text=True,
            check=True,
        )
        page = checkout / "demo-output/bikes/report.html"
        assert f"    {page.as_uri()}\n" in done.stdout
        call = (checkout / "calls").read_text().splitlines()[-1]
        assert call.startswith("detect clip.mp4 --output demo-output")
        assert "--report" in call
        assert call.endswith("--score 0.5")
        commands = [line for line in done.stdout.splitlines() if ".venv/bin/minet" in line]
        assert len(commands) == 3
        for line in commands:
            _, name, *arguments = shlex.split(line, comments=True)
            shown = cli.get_command(click.Context(cli), name)
            shown.make_parser(click.Context(shown)).parse_args(arguments)
