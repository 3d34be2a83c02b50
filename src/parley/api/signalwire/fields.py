"""Read the parameters of a JSON body: what is wrong with each is noted, so that one answer tells all of it."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from parley.api.http.endpoint import Call
from parley.api.signalwire import pages
from parley.api.signalwire.problems import Invalid, Problem, unknown_parameter
from parley.api.signalwire.urls import check_url
from parley.lib.ids import parse_uuid
from parley.model.address import SIGNALWIRE, InvalidAddress, parse_recipient
from parley.webhooks.guard import Guard

MOST: Final = 2048
"""Characters of a text that has no bound of its own."""

_METHODS: Final = ("GET", "POST")


def nothing_asked(call: Call) -> None:
    """For an operation without parameters. Raises Invalid when there are any."""
    Fields(call.json() if call.body else {}, ()).check()
    pages.allow(call.arguments())


class Fields:
    """The parameters of a request. A null and an empty text are as if they were not given."""

    def __init__(self, given: Mapping[str, Any], names: Collection[str]) -> None:
        self._given = given
        self.problems = [unknown_parameter(name) for name in given if name not in names]

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def given(self, name: str) -> Any:
        """A parameter as it was given, whatever it is; None when it was not."""
        return self._given.get(name)

    def text(self, name: str, *, is_required: bool = False, least: int = 0, most: int = MOST) -> str | None:
        """A text of `least` to `most` characters."""
        value = self._value(name, is_required=is_required)
        if value is None:
            return None
        if not isinstance(value, str):
            self.refuse("not_a_string", f"{name} must be a string", name)
            return None
        if len(value) < least:
            self.refuse("invalid_parameter", f"{name} has at least {least} characters", name)
            return None
        if len(value) > most:
            self.refuse("invalid_parameter", f"{name} has at most {most} characters", name)
            return None
        return value

    def required(self, name: str, *, least: int = 0, most: int = MOST) -> str:
        """A text that must be given; empty when it is not, which is noted."""
        return self.text(name, is_required=True, least=least, most=most) or ""

    def choice(self, name: str, choices: Collection[str], *, is_required: bool = False) -> str | None:
        """One of some words."""
        value = self.text(name, is_required=is_required)
        if value is not None and value not in choices:
            self.refuse("invalid_parameter", f"{name} must be one of {', '.join(sorted(choices))}", name)
            return None
        return value

    def method(self, name: str) -> str | None:
        """GET or POST."""
        value = self.text(name)
        if value is not None and value.upper() not in _METHODS:
            self.refuse("invalid_parameter", f"{name} must be GET or POST", name)
            return None
        return None if value is None else value.upper()

    def boolean(self, name: str, *, is_required: bool = False) -> bool | None:
        """True or false."""
        value = self._value(name, is_required=is_required)
        if isinstance(value, bool):
            return value
        if value is None:
            return None
        self.refuse("not_a_boolean", f"{name} must be true or false", name)
        return None

    def whole(self, name: str, usual: int, least: int, most: int) -> int:
        """A whole number of a range."""
        value = self._value(name)
        if value is None:
            return usual
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.refuse("invalid_parameter", f"{name} must be a whole number from {least} to {most}", name)
            return usual
        return value

    def texts(self, name: str, *, is_required: bool = False, most: int = 1000) -> tuple[str, ...]:
        """A list of texts, none of them empty."""
        value = self._value(name, is_required=is_required)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.refuse("not_an_array_of_strings", f"{name} must be an array of strings", name)
            return ()
        if len(value) > most:
            self.refuse("invalid_parameter", f"{name} has at most {most} items", name)
            return ()
        if not all(0 < len(each) <= MOST for each in value):
            self.refuse("invalid_parameter", f"{name} must hold strings of 1 to {MOST} characters", name)
            return ()
        if is_required and not value:
            self.refuse("missing_required_parameter", f"{name} is required", name)
        return tuple(value)

    def id(self, name: str, *, is_required: bool = False) -> bytes | None:
        """The id that a UUID spells."""
        value = self.text(name, is_required=is_required)
        if value is None:
            return None
        found = parse_uuid(value)
        if found is None:
            self.refuse("invalid_parameter", f"{name} must be a UUID", name)
        return found

    def phone(self, name: str, code: str = "invalid_number_format") -> str:
        """A phone's number, which must be given; empty when it is none, which is noted."""
        text = self.required(name)
        try:
            address = parse_recipient(text, SIGNALWIRE) if text else None
        except InvalidAddress:
            address = None
        if address is not None and (address.channel, address.kind) == ("sms", "e164"):
            return text
        if text:
            self.refuse(code, f"{name} must be in E.164 form: + and 5 to 17 digits", name)
        return ""

    def url(self, name: str, guard: Guard, *, is_required: bool = False) -> str | None:
        """A URL that we are to request."""
        value = self._value(name, is_required=is_required)
        if value is None:
            return None
        found: list[Problem] = []
        check_url(value, name, guard, found)
        self.problems += found
        return None if found else value

    def refuse(self, code: str, message: str, name: str) -> None:
        """Note what is wrong with a parameter."""
        self.problems.append(Problem(code, message, name))

    def check(self) -> None:
        """Raise Invalid when anything was wrong."""
        if self.problems:
            raise Invalid(self.problems)

    def _value(self, name: str, *, is_required: bool = False) -> Any:
        value = self._given.get(name)
        if value is None or value == "":
            if is_required:
                self.refuse("missing_required_parameter", f"{name} is required", name)
            return None
        return value
