"""The files by which Italian public software is published: publiccode.yml and the licence."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent

REQUIRED = (
    "publiccodeYmlVersion", "name", "url", "platforms", "developmentStatus", "softwareType",
    "description", "legal", "maintenance", "localisation",
)  # fmt: skip
SOFTWARE_TYPES = {
    "standalone/mobile", "standalone/iot", "standalone/desktop", "standalone/web",
    "standalone/backend", "standalone/other", "addon", "library", "configurationFiles",
}  # fmt: skip


@pytest.fixture(scope="module")
def publiccode() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "publiccode.yml").read_text("utf-8"))
    return loaded


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    loaded: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return loaded


def test_the_required_keys_are_there(publiccode: dict[str, Any]) -> None:
    assert [key for key in REQUIRED if not publiccode.get(key)] == []
    assert publiccode["publiccodeYmlVersion"] == "0.4"
    assert publiccode["softwareType"] in SOFTWARE_TYPES
    statuses = {"concept", "development", "beta", "stable", "obsolete"}
    assert publiccode["developmentStatus"] in statuses
    assert re.fullmatch(r"https://\S+", publiccode["url"])
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(publiccode["releaseDate"]))


def test_the_description_has_the_lengths_of_the_standard(publiccode: dict[str, Any]) -> None:
    italian = publiccode["description"]["it"]
    assert 0 < len(italian["genericName"]) <= 35
    assert 0 < len(italian["shortDescription"]) <= 150
    assert 150 <= len(italian["longDescription"]) <= 10_000
    assert italian["features"] and all(isinstance(one, str) for one in italian["features"])


def test_maintenance_and_languages_are_complete(publiccode: dict[str, Any]) -> None:
    maintenance = publiccode["maintenance"]
    assert maintenance["type"] in {"internal", "contract", "community", "none"}
    assert maintenance["contacts"] and all(contact["name"] for contact in maintenance["contacts"])
    assert isinstance(publiccode["localisation"]["localisationReady"], bool)
    assert publiccode["localisation"]["availableLanguages"] == ["it"]
    assert publiccode["it"]["countryExtensionVersion"] == "1.0"


def test_name_version_and_licence_agree_with_the_package(
    publiccode: dict[str, Any], project: dict[str, Any]
) -> None:
    assert publiccode["name"] == project["name"]
    assert publiccode["softwareVersion"] == project["version"]
    assert publiccode["legal"]["license"] == project["license"] == "EUPL-1.2"
    assert f"## [{project['version']}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_licence_is_whole() -> None:
    licence = (ROOT / "LICENSE").read_text("utf-8")
    assert licence.lstrip().startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2")
    headings = re.findall(r"^(\d{1,2})\. [A-Z]", licence, re.MULTILINE)
    assert [int(number) for number in headings] == list(range(1, 16))
    assert licence.rstrip().endswith(
        "All other changes or additions to this Appendix require the production of a new\n"
        "EUPL version."
    )


def test_every_direct_dependency_is_pinned_as_in_the_lock(project: dict[str, Any]) -> None:
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    locked = {line.split("==")[0].lower() for line in lines if "==" in line and line[0] != " "}
    exact = {line.strip().lower() for line in lines if "==" in line and line[0] != " "}
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    for pin in wanted:
        plain = re.sub(r"\[.*?\]", "", pin).lower().replace("_", "-")
        assert plain in exact, f"{pin} is not in requirements.lock: run make lock"
    assert not [name for name in locked if name.startswith(("nvidia-", "triton"))]
    assert "torch==2.13.0" in exact, "the +cpu label exists only at CPU sources: run make lock"
