"""What nothing is served at is answered in the shape of the API that its path belongs to."""

import pytest
import requests

from tests.server import Server


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/2010-04-01/Nothing.json", {"code": 20404, "status": 404}),
        ("/messaging/v1/Nothing", {"code": 20404, "status": 404}),
        ("/api/laml/2010-04-01/Nothing.json", {"code": 20404, "status": 404}),
        ("/api/messaging/nothing", {"error": "Not Found"}),
        ("/api/lamlx/2010-04-01/Nothing.json", {"error": "Not Found"}),
        ("/api/laml", {"error": "Not Found"}),
        ("/admin/nothing", {"code": "not_found"}),
    ],
)
def test_nothing_is_told_in_the_words_of_its_api(server: Server, path: str, told: dict[str, object]) -> None:
    answer = requests.get(server.base_url + path, auth=server.auth, timeout=30)
    assert answer.status_code == 404
    assert told.items() <= answer.json().items()
