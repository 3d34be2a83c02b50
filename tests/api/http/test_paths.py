"""What is served at a path is found whatever else is served beside it."""

import pytest

from parley.api.http.paths import Found, Paths


@pytest.fixture
def paths() -> Paths[str]:
    made = Paths[str]()
    for template in (
        "/healthz",
        "/Accounts/{Sid}.json",
        "/Accounts/{AccountSid}/Messages.json",
        "/Accounts/{AccountSid}/Messages/{Sid}.json",
        "/Accounts/{AccountSid}/Messages/{Sid}",
        "/Accounts/{AccountSid}/Messages/{MessageSid}/Media.json",
        "/Accounts/all/{What}",
    ):
        made.add(template, template)
    return made


@pytest.mark.parametrize(
    ("path", "template", "parameters"),
    [
        ("/healthz", "/healthz", {}),
        ("/Accounts/AC1.json", "/Accounts/{Sid}.json", {"Sid": "AC1"}),
        ("/Accounts/AC1/Messages.json", "/Accounts/{AccountSid}/Messages.json", {"AccountSid": "AC1"}),
        (
            "/Accounts/AC1/Messages/SM1.json",
            "/Accounts/{AccountSid}/Messages/{Sid}.json",
            {"AccountSid": "AC1", "Sid": "SM1"},
        ),
        ("/Accounts/AC1/Messages/SM1", "/Accounts/{AccountSid}/Messages/{Sid}", {"AccountSid": "AC1", "Sid": "SM1"}),
        (
            "/Accounts/AC1/Messages/SM1/Media.json",
            "/Accounts/{AccountSid}/Messages/{MessageSid}/Media.json",
            {"AccountSid": "AC1", "MessageSid": "SM1"},
        ),
        ("/Accounts/all/x", "/Accounts/all/{What}", {"What": "x"}),
        ("/Accounts/all/Messages/SM1", "/Accounts/{AccountSid}/Messages/{Sid}", {"AccountSid": "all", "Sid": "SM1"}),
    ],
)
def test_found(paths: Paths[str], path: str, template: str, parameters: dict[str, str]) -> None:
    assert paths.find(path) == Found(template, parameters)


@pytest.mark.parametrize(
    "path", ["", "/", "/healthz/", "//healthz", "/Accounts", "/Accounts/.json", "/Accounts/AC1/Messages/", "/healthz\n"]
)
def test_not_found(paths: Paths[str], path: str) -> None:
    assert paths.find(path) is None


@pytest.mark.parametrize("template", ["/a/{b}{c}", "/a/{b:path}", "/healthz", "/Accounts/{Other}.json"])
def test_what_cannot_be_served_is_told_at_once(paths: Paths[str], template: str) -> None:
    with pytest.raises(ValueError, match=r"segment|already"):
        paths.add(template, "x")
