"""What pyproject.toml promises of the package."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from minet_core import __version__

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]


def test_the_command_can_be_called_where_another_program_has_its_name():
    assert PROJECT["name"] != "minet"
    assert PROJECT["scripts"]["minet-video"] == PROJECT["scripts"]["minet"]
    done = subprocess.run(
        [sys.executable, "-m", "minet_cli", "--version"], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"minet \d+\.\d+\.\d+\S*\n", done.stdout)


def test_every_python_of_the_classifiers_is_tested():
    named = re.findall(r"Python :: (3\.\d+)", " ".join(PROJECT["classifiers"]))
    workflow = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
    (matrix,) = re.findall(r"python: \[(.*)\]", workflow)
    assert named == re.findall(r"3\.\d+", matrix)
    assert PROJECT["requires-python"] == f">={named[0]}"


def test_the_version_has_its_section_in_the_changelog():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## \[(.+?)\](?: - \d{4}-\d\d-\d\d)?$", changelog, re.MULTILINE)
    assert sections[:2] == ["Unreleased", __version__]


def test_extras_of_extras_are_our_own():
    extras = PROJECT["optional-dependencies"]
    named = [line for lines in extras.values() for line in lines if line.startswith("minet")]
    assert named
    for line in named:
        name, extra = re.fullmatch(r"(.+)\[(\w+)\]", line).groups()
        assert name == PROJECT["name"]
        assert extra in extras


def test_licences_of_the_weights_are_in_the_package():
    files = {path.name for pattern in PROJECT["license-files"] for path in ROOT.glob(pattern)}
    weights = {path.name for path in (ROOT / "weights").glob("LICENSE*")}
    assert {"LICENSE"} | weights == files


def test_no_link_of_the_index_page_leads_nowhere():
    hook = PYPROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    for change in hook["substitutions"]:
        page = re.sub(change["pattern"], change["replacement"].replace(r"\1", r"\g<1>"), page)
    assert re.findall(r"\]\((?!https?:)[^)]*\)|src=\"(?!https?:)", page) == []
    assert "doi.org" in page
    assert "Installation" in page
