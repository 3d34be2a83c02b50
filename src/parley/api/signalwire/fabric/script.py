"""Hold a script for messages against SWML, as it is stored."""

from parley.api.signalwire.fields import Fields
from parley.api.signalwire.swml import messaging
from parley.api.signalwire.swml.fault import Faulty


def check_script(contents: str, fields: Fields) -> None:
    """Note what is wrong with a script."""
    try:
        messaging.read_text(contents)
    except Faulty as faulty:
        fields.refuse(faulty.word, faulty.plain, "contents")
