import json
import subprocess
import sys

PRELUDE = """
import logging, warnings, structlog
from parley.cli.logs import configure
configure({level!r}, {format!r})
log = structlog.get_logger("parley.test")
"""


def logged(code: str, level: str = "info", log_format: str = "json") -> str:
    """Run code under a logging configuration of its own, and return what it logged."""
    program = PRELUDE.format(level=level, format=log_format) + code
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr


def test_an_entry_is_one_line_of_json() -> None:
    entry = json.loads(logged("log.info('a\\nb', message_id='SM1', count=2, at=None, odd=object)"))
    assert list(entry)[:4] == ["timestamp", "level", "event", "logger"]
    assert (entry["level"], entry["event"], entry["logger"]) == ("info", "a\nb", "parley.test")
    assert (entry["message_id"], entry["count"], entry["at"]) == ("SM1", 2, None)
    assert entry["odd"] == "<class 'object'>"


def test_what_is_no_json_is_logged_all_the_same() -> None:
    entry = json.loads(logged("log.info('x', broken='\\udc80', big=2**80)"))
    assert entry["big"] == 2**80


def test_secrets_are_masked_wherever_they_are() -> None:
    text = logged(
        "log.info('see https://me:hunter2@example.com/?token=hunter2', auth_token='hunter2', a={'token': 'hunter2'})\n"
        "logging.getLogger('lib').warning('at %s', 'https://me:hunter2@example.com')\n"
        "try:\n    raise ValueError('https://me:hunter2@example.com')\nexcept ValueError:\n    log.exception('oh')\n"
    )
    assert len(text.splitlines()) == 3
    assert "hunter2" not in text
    assert "ValueError" in text


def test_the_standard_librarys_loggers_take_the_same_way() -> None:
    text = logged("logging.getLogger('lib').warning('%s left', 3)\nwarnings.warn('old', stacklevel=1)\n")
    first, second = map(json.loads, text.splitlines())
    assert (first["event"], first["level"], first["logger"]) == ("3 left", "warning", "lib")
    assert second["logger"] == "py.warnings"


def test_the_level_holds_for_all() -> None:
    code = "log.info('a'); log.warning('b'); logging.getLogger('lib').info('c'); logging.getLogger('lib').error('d')"
    assert [json.loads(line)["event"] for line in logged(code, "warning").splitlines()] == ["b", "d"]
    noisy = "logging.getLogger('uvicorn.error').info('each step')"
    assert logged(noisy) == ""
    assert "each step" in logged(noisy, "debug")


def test_text_is_for_people_and_plain_in_a_pipe() -> None:
    text = logged("log.info('ready', port=8080)", log_format="text")
    assert "ready" in text
    assert "port=8080" in text
    assert "\x1b" not in text
